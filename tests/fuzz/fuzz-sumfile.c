/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Check files: any text is read to its end, and every name that comes out goes
 * into a line from which it comes back. The first byte chooses the algorithm.
 */

#include <stdlib.h>
#include <string.h>

#include "sumfile.h"

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

static void
check_round_trip (const EegSumfileDialect *dialect,
    const EegSumfileEntry *entry)
{
  EegSumfileEntry again = { 0 };
  char *name = malloc (entry->name_size + 1);
  char *line;
  size_t line_size, offset = 0;

  memcpy (name, entry->name, entry->name_size);
  name[entry->name_size] = '\0';
  line = eeg_sumfile_format (dialect, entry->digest, name, &line_size);
  if (line == NULL
      || eeg_sumfile_next (dialect, line, line_size, &offset, &again)
          != EEG_SUMFILE_ENTRY
      || offset != line_size || again.name_size != entry->name_size
      || memcmp (again.name, name, entry->name_size) != 0
      || memcmp (again.digest, entry->digest, dialect->digest_size) != 0)
    abort ();
  free (again.name);
  free (line);
  free (name);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  const EegSumfileDialect *const dialects[] = { &eeg_sumfile_blake3,
    &eeg_sumfile_sha256, &eeg_sumfile_sha512 };
  const EegSumfileDialect *dialect;
  const char *text = (const char *) data + 1;
  uint8_t digest[EEG_SUMFILE_MAX_DIGEST];
  EegSumfileEntry entry = { 0 };
  EegSumfileLine line;
  size_t offset = 0, before = 0;

  if (size == 0)
    return 0;
  dialect = dialects[data[0] % 3];
  size--;
  while ((line = eeg_sumfile_next (dialect, text, size, &offset, &entry))
      != EEG_SUMFILE_END) {
    if (offset <= before || offset > size)
      abort ();
    before = offset;
    if (line == EEG_SUMFILE_ENTRY)
      check_round_trip (dialect, &entry);
  }
  free (entry.name);
  eeg_sumfile_find (dialect, text, size, "night.edf", true, digest);
  return 0;
}
