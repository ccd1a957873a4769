/* SPDX-License-Identifier: LGPL-2.1-or-later */
#ifndef EEG_SUMFILE_H
#define EEG_SUMFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The lines that sha256sum, sha512sum and b3sum write and check: hexadecimal
 * digits, two spaces (or a space and '*' for "binary"), the file's name. A
 * name with special characters is escaped, which a leading backslash on the
 * line announces. Formats as printed and accepted by coreutils 9.1 and
 * b3sum 1.2.0.
 */

#define EEG_SUMFILE_MAX_DIGEST 64

/* What an algorithm's own tool does. */
typedef struct _EegSumfileDialect
{
  /* the name in a BSD line, "SHA256 (name) = digits" */
  const char *tag;
  /* bytes of a digest, at most EEG_SUMFILE_MAX_DIGEST */
  size_t digest_size;
  /* A carriage return in a name is escaped (coreutils), and one at the end of
   * a line is not part of the name. */
  bool escapes_cr;
} EegSumfileDialect;

extern const EegSumfileDialect eeg_sumfile_blake3;
extern const EegSumfileDialect eeg_sumfile_sha256;
extern const EegSumfileDialect eeg_sumfile_sha512;

/*
 * Returns the line for @digest and the file @name, with its line feed and
 * ending in NUL, to be freed with free(); its length goes to @size, which may
 * be NULL. Returns NULL if @name is empty or memory ran out.
 */
char *eeg_sumfile_format (const EegSumfileDialect *dialect,
    const uint8_t *digest, const char *name, size_t *size);

typedef enum
{
  /* no more lines */
  EEG_SUMFILE_END,
  /* a digest and a name */
  EEG_SUMFILE_ENTRY,
  /* nothing, or a comment ('#') */
  EEG_SUMFILE_BLANK,
  /* anything else, also a line of another algorithm */
  EEG_SUMFILE_MALFORMED,
} EegSumfileLine;

typedef struct
{
  uint8_t digest[EEG_SUMFILE_MAX_DIGEST];
  /* unescaped, without NUL, in memory of its own: @name_room bytes that
   * eeg_sumfile_next() grows as needed and the caller frees with free() after
   * the last line */
  char *name;
  size_t name_size;
  size_t name_room;
} EegSumfileEntry;

/*
 * Reads the line at *@offset of @text and moves *@offset behind it. @entry
 * begins as all zeros and keeps its memory from line to line; it is set only
 * for EEG_SUMFILE_ENTRY. A name that holds a NUL is malformed, as is one for
 * which memory ran out.
 */
EegSumfileLine eeg_sumfile_next (const EegSumfileDialect *dialect,
    const char *text, size_t size, size_t *offset, EegSumfileEntry *entry);

typedef enum
{
  EEG_SUMFILE_FOUND,
  /* no line of this algorithm at all */
  EEG_SUMFILE_NO_LINES,
  /* lines, but none for this name */
  EEG_SUMFILE_NOT_LISTED,
  /* lines for this name with different digests */
  EEG_SUMFILE_AMBIGUOUS,
} EegSumfileResult;

/*
 * Looks up the digest of the file @name: a line with exactly this name, else
 * one whose name without folders is @name's. With @sole a text with a single
 * line serves whatever its name (the file may have been renamed). @digest is
 * written only if found.
 */
EegSumfileResult eeg_sumfile_find (const EegSumfileDialect *dialect,
    const char *text, size_t size, const char *name, bool sole,
    uint8_t *digest);

/*
 * Reads exactly 2 * @size hexadecimal digits of either case. Returns false
 * if there are fewer or others; more characters may follow.
 */
bool eeg_sumfile_parse_hex (const char *text, size_t text_size, uint8_t *digest,
    size_t size);

/*
 * Writes @size bytes as 2 * @size lower-case hexadecimal digits and a NUL.
 */
void eeg_sumfile_format_hex (const uint8_t *digest, size_t size, char *hex);

#endif
