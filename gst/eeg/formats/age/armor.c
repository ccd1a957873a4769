/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include "age.h"

#include <string.h>

#include "aead/base64.h"

#define BEGIN_LINE "-----BEGIN AGE ENCRYPTED FILE-----"
#define END_LINE "-----END AGE ENCRYPTED FILE-----"

static bool
is_space (uint8_t c)
{
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

int
eeg_age_armor_detect (const uint8_t *data, size_t size)
{
  size_t length = sizeof BEGIN_LINE - 1, space = 0, known;

  while (space < size && is_space (data[space])) {
    if (++space > EEG_AGE_ARMOR_MAX_SPACE)
      return 0;
  }
  known = size - space < length ? size - space : length;
  if (known > 0 && memcmp (data + space, BEGIN_LINE, known) != 0)
    return 0;
  return known == length ? 1 : -1;
}

static bool
line_is (const EegAgeArmor *armor, const char *text)
{
  return armor->line_size == strlen (text)
      && memcmp (armor->line, text, armor->line_size) == 0;
}

/* Takes the whole line that was gathered. */
static bool
take_line (EegAgeArmor *armor, uint8_t *out, size_t *produced)
{
  *produced = 0;
  if (armor->line_size > 0 && armor->line[armor->line_size - 1] == '\r')
    armor->line_size--;
  switch (armor->state) {
    case EEG_AGE_ARMOR_BEFORE:
      if (!line_is (armor, BEGIN_LINE))
        return false;
      armor->state = EEG_AGE_ARMOR_BODY;
      return true;
    case EEG_AGE_ARMOR_BODY:
    case EEG_AGE_ARMOR_LAST_LINE:
      if (line_is (armor, END_LINE)) {
        armor->state = EEG_AGE_ARMOR_AFTER;
        armor->space = 0;
        return true;
      }
      if (armor->state == EEG_AGE_ARMOR_LAST_LINE || armor->line_size == 0
          || armor->line_size > EEG_AGE_ARMOR_LINE)
        return false;
      if (!eeg_aead_base64_decode (armor->line, armor->line_size, true, out,
              EEG_AGE_ARMOR_BYTES, produced))
        return false;
      /* a full line with padding is a last line, too */
      if (*produced < EEG_AGE_ARMOR_BYTES)
        armor->state = EEG_AGE_ARMOR_LAST_LINE;
      return true;
    default:
      return false;
  }
}

bool
eeg_age_armor_decode (EegAgeArmor *armor, const uint8_t *data, size_t size,
    size_t *consumed, uint8_t *out, size_t capacity, size_t *produced)
{
  *consumed = *produced = 0;

  while (*consumed < size && capacity - *produced >= EEG_AGE_ARMOR_BYTES) {
    uint8_t c = data[*consumed];
    size_t n;

    if (armor->state == EEG_AGE_ARMOR_FAILED)
      return false;
    (*consumed)++;

    if (armor->state == EEG_AGE_ARMOR_AFTER
        || (armor->state == EEG_AGE_ARMOR_BEFORE && armor->line_size == 0
            && is_space (c))) {
      if (!is_space (c) || ++armor->space > EEG_AGE_ARMOR_MAX_SPACE)
        goto fail;
      continue;
    }

    if (c != '\n') {
      if (armor->line_size == sizeof armor->line)
        goto fail;
      armor->line[armor->line_size++] = c;
      continue;
    }
    if (!take_line (armor, out + *produced, &n))
      goto fail;
    *produced += n;
    armor->line_size = 0;
  }
  return true;

fail:
  armor->state = EEG_AGE_ARMOR_FAILED;
  return false;
}

bool
eeg_age_armor_finish (EegAgeArmor *armor)
{
  uint8_t out[EEG_AGE_ARMOR_BYTES];
  size_t produced;

  /* the end line may lack its line end */
  if (armor->line_size > 0
      && (armor->state == EEG_AGE_ARMOR_BODY
          || armor->state == EEG_AGE_ARMOR_LAST_LINE)
      && !take_line (armor, out, &produced))
    return false;
  armor->line_size = 0;
  return armor->state == EEG_AGE_ARMOR_AFTER;
}
