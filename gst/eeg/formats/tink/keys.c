/* SPDX-License-Identifier: LGPL-2.1-or-later */

/*
 * Key files. The JSON of a keyset holds the key, and a general JSON library
 * leaves copies of every string on the heap, where nobody wipes them; so a
 * keyset is read here, in place, in one copy in protected memory. The reader
 * knows the JSON grammar (RFC 8259) with a limited depth and takes the members
 * it needs.
 */

#include "tink.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "aead/base64.h"

#define RAW_KEY_SIZE 32u
#define HEX_KEY_SIZE (2 * RAW_KEY_SIZE)

#define TYPE_URL "type.googleapis.com/google.crypto.tink.AesGcmHkdfStreamingKey"

/* a serialised key is 44 bytes with 32 bytes of key material */
#define MAX_VALUE_SIZE 128u
#define MAX_JSON_DEPTH 16

/*
 * Protocol buffers
 */

typedef struct
{
  const uint8_t *p;
  const uint8_t *end;
} Proto;

static bool
proto_varint (Proto *proto, uint64_t *value)
{
  *value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    uint8_t byte;

    if (proto->p == proto->end)
      return false;
    byte = *proto->p++;
    /* the tenth byte holds the last bit */
    if (shift == 63 && byte > 1)
      return false;
    *value |= (uint64_t) (byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return true;
  }
  return false;
}

static bool
proto_bytes (Proto *proto, Proto *bytes)
{
  uint64_t size;

  if (!proto_varint (proto, &size) || size > (uint64_t) (proto->end - proto->p))
    return false;
  bytes->p = proto->p;
  bytes->end = proto->p + size;
  proto->p += size;
  return true;
}

#define PROTO_TAG(field, type) ((field) << 3 | (type))
#define PROTO_VARINT 0
#define PROTO_BYTES 2

static bool
parse_params (Proto *proto, uint64_t *segment_size, uint64_t *key_size,
    uint64_t *hash)
{
  while (proto->p < proto->end) {
    uint64_t tag;
    uint64_t *value;

    if (!proto_varint (proto, &tag))
      return false;
    switch (tag) {
      case PROTO_TAG (1, PROTO_VARINT):
        value = segment_size;
        break;
      case PROTO_TAG (2, PROTO_VARINT):
        value = key_size;
        break;
      case PROTO_TAG (3, PROTO_VARINT):
        value = hash;
        break;
      default:
        return false;
    }
    if (!proto_varint (proto, value))
      return false;
  }
  return true;
}

EegTinkKeysResult
eeg_tink_key_parse (const uint8_t *data, size_t size, EegTinkKey *key)
{
  Proto proto = { data, data + size };
  uint64_t version = 0, segment_size = 0, key_size = 0, hash = 0;
  Proto params = { NULL, NULL }, material = { NULL, NULL };

  /* A field that is not known could change what the others mean, so it is
   * refused. Of repeated ones the last counts. */
  while (proto.p < proto.end) {
    uint64_t tag;
    bool ok;

    if (!proto_varint (&proto, &tag))
      return EEG_TINK_KEYS_BAD_KEYSET;
    switch (tag) {
      case PROTO_TAG (1, PROTO_VARINT):
        ok = proto_varint (&proto, &version);
        break;
      case PROTO_TAG (2, PROTO_BYTES):
        ok = proto_bytes (&proto, &params)
            && parse_params (&params, &segment_size, &key_size, &hash);
        break;
      case PROTO_TAG (3, PROTO_BYTES):
        ok = proto_bytes (&proto, &material);
        break;
      default:
        ok = false;
    }
    if (!ok)
      return EEG_TINK_KEYS_BAD_KEYSET;
  }

  /* 3 is SHA256 of Tink's enum HashType */
  if (version != 0 || key_size != EEG_AEAD_KEY_SIZE || hash != 3)
    return EEG_TINK_KEYS_UNSUPPORTED;
  if (segment_size < EEG_TINK_MIN_SEGMENT_SIZE
      || segment_size > EEG_TINK_MAX_SEGMENT_SIZE)
    return EEG_TINK_KEYS_UNSUPPORTED;
  size = material.end - material.p;
  if (size < EEG_AEAD_KEY_SIZE || size > EEG_TINK_MAX_KEY_SIZE)
    return EEG_TINK_KEYS_UNSUPPORTED;

  key->segment_size = segment_size;
  memcpy (key->ikm, material.p, size);
  key->ikm_size = size;
  return EEG_TINK_KEYS_OK;
}

/*
 * JSON
 */

typedef struct
{
  uint8_t *p;
  const uint8_t *end;
} Json;

typedef struct
{
  const uint8_t *data;
  size_t size;
} JsonString;

static void
json_space (Json *json)
{
  while (json->p < json->end
      && (*json->p == ' ' || *json->p == '\t' || *json->p == '\n'
          || *json->p == '\r'))
    json->p++;
}

/* Takes @c, with white space before it, or nothing. */
static bool
json_char (Json *json, char c)
{
  json_space (json);
  if (json->p == json->end || *json->p != c)
    return false;
  json->p++;
  return true;
}

static int
hex_digit (uint8_t c)
{
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* Takes what follows a backslash; @c is 0 for a character beyond ASCII, which
 * no string that matters here has. */
static bool
json_escape (Json *json, uint8_t *c)
{
  static const char names[] = "\"\\/bfnrt", values[] = "\"\\/\b\f\n\r\t";
  const char *name;
  unsigned code = 0;

  if (json->p == json->end)
    return false;
  if (*json->p == 'u') {
    if (json->end - json->p < 5)
      return false;
    json->p++;
    for (int i = 0; i < 4; i++) {
      int digit = hex_digit (*json->p++);

      if (digit < 0)
        return false;
      code = code << 4 | digit;
    }
    *c = code < 0x80 ? code : 0;
    return true;
  }
  name = memchr (names, *json->p, sizeof names - 1);
  if (name == NULL)
    return false;
  *c = values[name - names];
  json->p++;
  return true;
}

/* Unescapes in place; a string never gets longer by it. */
static bool
json_string (Json *json, JsonString *string)
{
  uint8_t *out;

  if (!json_char (json, '"'))
    return false;
  out = json->p;
  string->data = out;
  while (json->p < json->end && *json->p >= ' ') {
    uint8_t c = *json->p++;

    if (c == '"') {
      string->size = out - string->data;
      return true;
    }
    if (c == '\\' && !json_escape (json, &c))
      return false;
    *out++ = c;
  }
  return false;
}

static bool
json_string_is (const JsonString *string, const char *text)
{
  return string->size == strlen (text)
      && memcmp (string->data, text, string->size) == 0;
}

static bool
json_uint32 (Json *json, uint32_t *value)
{
  const uint8_t *start;
  uint64_t n = 0;

  json_space (json);
  start = json->p;
  while (json->p < json->end && *json->p >= '0' && *json->p <= '9') {
    n = n * 10 + (*json->p++ - '0');
    if (n > UINT32_MAX)
      return false;
  }
  if (json->p == start || (*start == '0' && json->p - start > 1))
    return false;
  *value = n;
  return true;
}

static bool
json_digits (Json *json)
{
  const uint8_t *start = json->p;

  while (json->p < json->end && *json->p >= '0' && *json->p <= '9')
    json->p++;
  return json->p > start;
}

static bool
json_skip_number (Json *json)
{
  if (json->p < json->end && *json->p == '-')
    json->p++;
  if (json->p < json->end && *json->p == '0')
    json->p++;
  else if (!json_digits (json))
    return false;
  if (json->p < json->end && *json->p == '.') {
    json->p++;
    if (!json_digits (json))
      return false;
  }
  if (json->p < json->end && (*json->p == 'e' || *json->p == 'E')) {
    json->p++;
    if (json->p < json->end && (*json->p == '+' || *json->p == '-'))
      json->p++;
    return json_digits (json);
  }
  return true;
}

static bool
json_skip_word (Json *json)
{
  static const char *const words[] = { "true", "false", "null" };

  for (int i = 0; i < 3; i++) {
    size_t size = strlen (words[i]);

    if ((size_t) (json->end - json->p) >= size
        && memcmp (json->p, words[i], size) == 0) {
      json->p += size;
      return true;
    }
  }
  return false;
}

static bool
json_skip (Json *json, int depth)
{
  JsonString string;
  bool object;

  json_space (json);
  if (depth > MAX_JSON_DEPTH || json->p == json->end)
    return false;

  if (*json->p == '"')
    return json_string (json, &string);
  if (*json->p == '-' || (*json->p >= '0' && *json->p <= '9'))
    return json_skip_number (json);
  if (*json->p != '{' && *json->p != '[')
    return json_skip_word (json);

  object = *json->p++ == '{';
  if (json_char (json, object ? '}' : ']'))
    return true;
  do {
    if (object && (!json_string (json, &string) || !json_char (json, ':')))
      return false;
    if (!json_skip (json, depth + 1))
      return false;
  } while (json_char (json, ','));
  return json_char (json, object ? '}' : ']');
}

/*
 * The next member of an object. Call with *@first true at the start, after
 * which it is false. Returns 1 with the reader at the member's value, 0 at the
 * end of the object, -1 for bad JSON.
 */
static int
json_member (Json *json, bool *first, JsonString *name)
{
  if (*first) {
    *first = false;
    if (!json_char (json, '{'))
      return -1;
    if (json_char (json, '}'))
      return 0;
  } else if (!json_char (json, ',')) {
    return json_char (json, '}') ? 0 : -1;
  }
  return json_string (json, name) && json_char (json, ':') ? 1 : -1;
}

/*
 * Keysets
 */

typedef struct
{
  bool has_id;
  uint32_t id;
  bool enabled;
  bool right_type;
  bool symmetric;
  JsonString value;
} KeyEntry;

static bool
parse_key_data (Json *json, KeyEntry *entry)
{
  JsonString name, string;
  bool first = true;
  int more;

  while ((more = json_member (json, &first, &name)) > 0) {
    bool type = json_string_is (&name, "typeUrl");
    bool material = json_string_is (&name, "keyMaterialType");

    if (json_string_is (&name, "value")) {
      if (!json_string (json, &entry->value))
        return false;
    } else if (type || material) {
      if (!json_string (json, &string))
        return false;
      if (type)
        entry->right_type = json_string_is (&string, TYPE_URL);
      else
        entry->symmetric = json_string_is (&string, "SYMMETRIC");
    } else if (!json_skip (json, 0)) {
      return false;
    }
  }
  return more == 0;
}

static bool
parse_key_entry (Json *json, KeyEntry *entry)
{
  JsonString name, string;
  bool first = true;
  int more;

  memset (entry, 0, sizeof *entry);
  while ((more = json_member (json, &first, &name)) > 0) {
    if (json_string_is (&name, "keyData")) {
      if (!parse_key_data (json, entry))
        return false;
    } else if (json_string_is (&name, "keyId")) {
      if (!json_uint32 (json, &entry->id))
        return false;
      entry->has_id = true;
    } else if (json_string_is (&name, "status")) {
      if (!json_string (json, &string))
        return false;
      entry->enabled = json_string_is (&string, "ENABLED");
    } else if (!json_skip (json, 0)) {
      /* also outputPrefixType, which streaming AEADs do not use */
      return false;
    }
  }
  return more == 0;
}

static EegTinkKeysResult
parse_key_value (const KeyEntry *entry, EegTinkKey *key)
{
  uint8_t value[MAX_VALUE_SIZE];
  EegTinkKeysResult result = EEG_TINK_KEYS_BAD_KEYSET;
  size_t size;

  if (!entry->right_type || !entry->symmetric)
    return EEG_TINK_KEYS_UNSUPPORTED;
  if (eeg_aead_base64_decode ((const char *) entry->value.data,
          entry->value.size, true, value, sizeof value, &size))
    result = eeg_tink_key_parse (value, size, key);
  sodium_memzero (value, sizeof value);
  return result;
}

/* Whether the key's id is the primary one is known only at the end. */
typedef struct
{
  EegTinkKeys *keys;
  bool has_primary;
  uint32_t primary;
  /* ids of enabled keys that cannot be used here */
  uint32_t skipped[EEG_TINK_MAX_KEYS];
  bool encrypted;
} Keyset;

static EegTinkKeysResult
parse_key_list (Json *json, Keyset *set)
{
  EegTinkKeys *keys = set->keys;

  if (!json_char (json, '['))
    return EEG_TINK_KEYS_BAD_KEYSET;
  if (json_char (json, ']'))
    return EEG_TINK_KEYS_OK;
  do {
    EegTinkKeysResult result;
    KeyEntry entry;

    if (!parse_key_entry (json, &entry) || !entry.has_id)
      return EEG_TINK_KEYS_BAD_KEYSET;
    if (!entry.enabled)
      continue;
    if (keys->n_keys + keys->n_skipped == EEG_TINK_MAX_KEYS)
      return EEG_TINK_KEYS_TOO_MANY;

    keys->keys[keys->n_keys].id = entry.id;
    result = parse_key_value (&entry, &keys->keys[keys->n_keys]);
    if (result == EEG_TINK_KEYS_UNSUPPORTED)
      set->skipped[keys->n_skipped++] = entry.id;
    else if (result == EEG_TINK_KEYS_OK)
      keys->n_keys++;
    else
      return result;
  } while (json_char (json, ','));

  return json_char (json, ']') ? EEG_TINK_KEYS_OK : EEG_TINK_KEYS_BAD_KEYSET;
}

/* Puts the primary key in front. */
static EegTinkKeysResult
choose_primary (Keyset *set)
{
  EegTinkKeys *keys = set->keys;

  for (size_t i = 0; set->has_primary && i < keys->n_keys; i++) {
    if (keys->keys[i].id == set->primary) {
      EegTinkKey key = keys->keys[i];

      keys->keys[i] = keys->keys[0];
      keys->keys[0] = key;
      sodium_memzero (&key, sizeof key);
      return EEG_TINK_KEYS_OK;
    }
  }
  for (size_t i = 0; set->has_primary && i < keys->n_skipped; i++) {
    if (set->skipped[i] == set->primary)
      return EEG_TINK_KEYS_UNSUPPORTED;
  }
  return EEG_TINK_KEYS_NO_PRIMARY;
}

static EegTinkKeysResult
parse_keyset (Json *json, EegTinkKeys *keys)
{
  Keyset set = { .keys = keys };
  EegTinkKeysResult result = EEG_TINK_KEYS_OK;
  bool first = true, has_keys = false;
  JsonString name;
  int more;

  while ((more = json_member (json, &first, &name)) > 0) {
    bool ok = true;

    if (json_string_is (&name, "primaryKeyId")) {
      ok = json_uint32 (json, &set.primary);
      set.has_primary = true;
    } else if (json_string_is (&name, "key")) {
      /* a second list would be another keyset */
      if (has_keys)
        return EEG_TINK_KEYS_BAD_KEYSET;
      has_keys = true;
      result = parse_key_list (json, &set);
    } else {
      if (json_string_is (&name, "encryptedKeyset"))
        set.encrypted = true;
      ok = json_skip (json, 0);
    }
    if (!ok)
      return EEG_TINK_KEYS_BAD_KEYSET;
    if (result != EEG_TINK_KEYS_OK)
      return result;
  }
  json_space (json);
  if (more < 0 || json->p != json->end)
    return EEG_TINK_KEYS_BAD_KEYSET;
  if (set.encrypted)
    return EEG_TINK_KEYS_ENCRYPTED_KEYSET;
  return choose_primary (&set);
}

static bool
parse_hex_key (const EegAeadSecret *file, EegTinkKey *key)
{
  size_t size = file->size;

  if (size > 0 && file->data[size - 1] == '\n')
    size--;
  if (size < file->size && size > 0 && file->data[size - 1] == '\r')
    size--;
  if (size != HEX_KEY_SIZE)
    return false;
  return sodium_hex2bin (key->ikm, RAW_KEY_SIZE, (const char *) file->data,
             size, NULL, &key->ikm_size, NULL)
      == 0;
}

static bool
starts_object (const EegAeadSecret *file)
{
  Json json = { file->data, file->data + file->size };

  return json_char (&json, '{');
}

EegTinkKeysResult
eeg_tink_keys_parse (const EegAeadSecret *file, EegTinkKeys **out)
{
  EegTinkKeysResult result = EEG_TINK_KEYS_UNKNOWN_FORMAT;
  EegTinkKeys *keys;

  keys = sodium_allocarray (1, sizeof *keys);
  if (keys == NULL)
    return EEG_TINK_KEYS_NO_MEMORY;
  memset (keys, 0, sizeof *keys);

  if (file->size == RAW_KEY_SIZE) {
    memcpy (keys->keys[0].ikm, file->data, RAW_KEY_SIZE);
    keys->keys[0].ikm_size = RAW_KEY_SIZE;
    keys->n_keys = 1;
    result = EEG_TINK_KEYS_OK;
  } else if (parse_hex_key (file, &keys->keys[0])) {
    keys->n_keys = 1;
    result = EEG_TINK_KEYS_OK;
  } else if (starts_object (file)) {
    EegAeadSecret *copy = eeg_aead_secret_new_copy (file->data, file->size);

    if (copy == NULL) {
      result = EEG_TINK_KEYS_NO_MEMORY;
    } else {
      Json json = { copy->data, copy->data + copy->size };

      result = parse_keyset (&json, keys);
      eeg_aead_secret_free (copy);
    }
  }

  if (result == EEG_TINK_KEYS_OK)
    *out = keys;
  else
    sodium_free (keys);
  return result;
}

void
eeg_tink_keys_free (EegTinkKeys *keys)
{
  sodium_free (keys);
}

const char *
eeg_tink_keys_result_text (EegTinkKeysResult result)
{
  switch (result) {
    case EEG_TINK_KEYS_OK:
      return "the key is usable";
    case EEG_TINK_KEYS_NO_MEMORY:
      return "no memory for the key";
    case EEG_TINK_KEYS_UNKNOWN_FORMAT:
      return "the key is neither 32 bytes, nor 64 hexadecimal digits, nor a "
             "Tink JSON keyset";
    case EEG_TINK_KEYS_BAD_KEYSET:
      return "the key is not a well-formed Tink JSON keyset";
    case EEG_TINK_KEYS_ENCRYPTED_KEYSET:
      return "the Tink keyset is itself encrypted; a cleartext keyset is "
             "needed";
    case EEG_TINK_KEYS_TOO_MANY:
      return "the Tink keyset holds too many keys";
    case EEG_TINK_KEYS_NO_PRIMARY:
      return "the Tink keyset has no enabled primary key";
    case EEG_TINK_KEYS_UNSUPPORTED:
      return "the Tink keyset's primary key is not an AES-GCM-HKDF streaming "
             "key with 256 bits, SHA-256 and a segment size from 57 bytes to "
             "100 MiB";
  }
  return "unknown";
}
