/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "sumfile.h"

#include <stdlib.h>
#include <string.h>

const EegSumfileDialect eeg_sumfile_blake3 = {
  .tag = "BLAKE3",
  .digest_size = 32,
  .escapes_cr = false,
};

const EegSumfileDialect eeg_sumfile_sha256 = {
  .tag = "SHA256",
  .digest_size = 32,
  .escapes_cr = true,
};

const EegSumfileDialect eeg_sumfile_sha512 = {
  .tag = "SHA512",
  .digest_size = 64,
  .escapes_cr = true,
};

static char
escape_of (const EegSumfileDialect *dialect, char c)
{
  switch (c) {
    case '\\':
      return '\\';
    case '\n':
      return 'n';
    case '\r':
      return dialect->escapes_cr ? 'r' : '\0';
    default:
      return '\0';
  }
}

char *
eeg_sumfile_format (const EegSumfileDialect *dialect, const uint8_t *digest,
    const char *name, size_t *size)
{
  size_t name_size = strlen (name);
  size_t escapes = 0;
  char *line, *out;

  if (name_size == 0)
    return NULL;
  for (size_t i = 0; i < name_size; i++)
    escapes += escape_of (dialect, name[i]) != '\0';

  out = line = malloc (2 * dialect->digest_size + name_size + escapes + 5);
  if (line == NULL)
    return NULL;
  if (escapes > 0)
    *out++ = '\\';
  eeg_sumfile_format_hex (digest, dialect->digest_size, out);
  out += 2 * dialect->digest_size;
  *out++ = ' ';
  *out++ = ' ';
  for (size_t i = 0; i < name_size; i++) {
    char escape = escape_of (dialect, name[i]);

    if (escape != '\0') {
      *out++ = '\\';
      *out++ = escape;
    } else {
      *out++ = name[i];
    }
  }
  *out++ = '\n';
  *out = '\0';
  if (size != NULL)
    *size = out - line;
  return line;
}

void
eeg_sumfile_format_hex (const uint8_t *digest, size_t size, char *hex)
{
  static const char digits[] = "0123456789abcdef";

  for (size_t i = 0; i < size; i++) {
    *hex++ = digits[digest[i] >> 4];
    *hex++ = digits[digest[i] & 15];
  }
  *hex = '\0';
}

static int
hex_value (char c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

bool
eeg_sumfile_parse_hex (const char *text, size_t text_size, uint8_t *digest,
    size_t size)
{
  if (text_size / 2 < size)
    return false;
  for (size_t i = 0; i < size; i++) {
    int high = hex_value (text[2 * i]);
    int low = hex_value (text[2 * i + 1]);

    if (high < 0 || low < 0)
      return false;
    digest[i] = (uint8_t) (high << 4 | low);
  }
  return true;
}

static bool
is_blank (char c)
{
  return c == ' ' || c == '\t';
}

/* Copies @size bytes of @from to the entry's name, undoing the escapes. */
static bool
take_name (EegSumfileEntry *entry, const char *from, size_t size, bool escaped)
{
  char *out;

  if (size == 0 || memchr (from, '\0', size) != NULL)
    return false;
  if (entry->name_room < size) {
    char *name = realloc (entry->name, size);

    if (name == NULL)
      return false;
    entry->name = name;
    entry->name_room = size;
  }

  out = entry->name;
  for (size_t i = 0; i < size; i++) {
    char c = from[i];

    if (escaped && c == '\\') {
      if (++i == size)
        return false;
      switch (from[i]) {
        case '\\':
          break;
        case 'n':
          c = '\n';
          break;
        case 'r':
          c = '\r';
          break;
        default:
          return false;
      }
    }
    *out++ = c;
  }
  entry->name_size = out - entry->name;
  return true;
}

/* "SHA256 (name) = digits" */
static bool
parse_tagged (const EegSumfileDialect *dialect, const char *line, size_t size,
    bool escaped, EegSumfileEntry *entry)
{
  size_t tag = strlen (dialect->tag);
  size_t digits = 2 * dialect->digest_size;
  size_t tail;

  /* the shortest: a space and parentheses around one character */
  if (size < tag + digits + 4 || memcmp (line, dialect->tag, tag) != 0)
    return false;
  line += tag;
  size -= tag;
  if (line[0] == ' ') {
    line++;
    size--;
  }
  if (line[0] != '(')
    return false;
  line++;
  size--;

  if (!eeg_sumfile_parse_hex (line + size - digits, digits, entry->digest,
          dialect->digest_size))
    return false;
  tail = size - digits;
  while (tail > 0 && is_blank (line[tail - 1]))
    tail--;
  if (tail == 0 || line[--tail] != '=')
    return false;
  while (tail > 0 && is_blank (line[tail - 1]))
    tail--;
  if (tail == 0 || line[--tail] != ')')
    return false;
  return take_name (entry, line, tail, escaped);
}

EegSumfileLine
eeg_sumfile_next (const EegSumfileDialect *dialect, const char *text,
    size_t size, size_t *offset, EegSumfileEntry *entry)
{
  const char *line, *end;
  size_t digits = 2 * dialect->digest_size;
  size_t left;
  bool escaped = false;

  if (*offset >= size)
    return EEG_SUMFILE_END;
  line = text + *offset;
  left = size - *offset;
  end = memchr (line, '\n', left);
  if (end != NULL) {
    left = end - line;
    *offset += left + 1;
  } else {
    *offset = size;
  }

  if (left > 0 && line[left - 1] == '\r' && dialect->escapes_cr)
    left--;
  if (left == 0 || line[0] == '#' || (left == 1 && line[0] == '\r'))
    return EEG_SUMFILE_BLANK;

  while (left > 0 && is_blank (line[0])) {
    line++;
    left--;
  }
  if (left > 0 && line[0] == '\\') {
    escaped = true;
    line++;
    left--;
  }
  if (parse_tagged (dialect, line, left, escaped, entry))
    return EEG_SUMFILE_ENTRY;

  if (!eeg_sumfile_parse_hex (line, left, entry->digest, dialect->digest_size)
      || left < digits + 2 || !is_blank (line[digits]))
    return EEG_SUMFILE_MALFORMED;
  line += digits + 1;
  left -= digits + 1;
  /* A single space comes from "md5sum -r" of BSD: the name begins here. */
  if (line[0] == ' ' || line[0] == '*') {
    line++;
    left--;
  }
  if (!take_name (entry, line, left, escaped))
    return EEG_SUMFILE_MALFORMED;
  return EEG_SUMFILE_ENTRY;
}

static const char *
base_name (const char *name, size_t *size)
{
  for (size_t i = *size; i > 0; i--) {
    if (name[i - 1] == '/') {
      *size -= i;
      return name + i;
    }
  }
  return name;
}

static bool
same_name (const char *a, size_t a_size, const char *b, size_t b_size)
{
  return a_size == b_size && memcmp (a, b, a_size) == 0;
}

/* What the lines of one degree of likeness say. */
typedef struct
{
  size_t count;
  bool differ;
  uint8_t digest[EEG_SUMFILE_MAX_DIGEST];
} Candidates;

static void
candidates_add (Candidates *candidates, const EegSumfileEntry *entry,
    size_t size)
{
  if (candidates->count++ == 0)
    memcpy (candidates->digest, entry->digest, size);
  else if (memcmp (candidates->digest, entry->digest, size) != 0)
    candidates->differ = true;
}

EegSumfileResult
eeg_sumfile_find (const EegSumfileDialect *dialect, const char *text,
    size_t size, const char *name, bool sole, uint8_t *digest)
{
  EegSumfileEntry entry = { 0 };
  EegSumfileLine line;
  Candidates exact = { 0 }, base = { 0 }, any = { 0 };
  const Candidates *best;
  size_t name_size = strlen (name);
  size_t name_base_size = name_size;
  const char *name_base = base_name (name, &name_base_size);
  size_t offset = 0;

  while ((line = eeg_sumfile_next (dialect, text, size, &offset, &entry))
      != EEG_SUMFILE_END) {
    size_t entry_base_size = entry.name_size;
    const char *entry_base;

    if (line != EEG_SUMFILE_ENTRY)
      continue;
    entry_base = base_name (entry.name, &entry_base_size);
    candidates_add (&any, &entry, dialect->digest_size);
    if (same_name (entry.name, entry.name_size, name, name_size))
      candidates_add (&exact, &entry, dialect->digest_size);
    if (same_name (entry_base, entry_base_size, name_base, name_base_size))
      candidates_add (&base, &entry, dialect->digest_size);
  }
  free (entry.name);

  if (any.count == 0)
    return EEG_SUMFILE_NO_LINES;
  if (exact.count > 0)
    best = &exact;
  else if (base.count > 0)
    best = &base;
  else if (sole && any.count == 1)
    best = &any;
  else
    return EEG_SUMFILE_NOT_LISTED;
  if (best->differ)
    return EEG_SUMFILE_AMBIGUOUS;
  memcpy (digest, best->digest, dialect->digest_size);
  return EEG_SUMFILE_FOUND;
}
