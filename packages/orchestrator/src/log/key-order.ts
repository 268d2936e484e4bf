// Keys in code unit order under SQLite, which compares the bytes of UTF-8: there U+1F600 sorts after U+FFFD, in code units
// before it. From U+D800 on, each code unit is stored as two characters that sort alike in both, and survive UTF-8 even
// where a surrogate stands alone. Keys without such characters, nearly all, are stored as they are.

const FROM_SURROGATES = /[\ud800-\uffff]/;
const STORED = /\ue000([\u0100-\u08ff])|\ue001([\ue000-\uffff])/g;
const EACH_FROM_SURROGATES = /[\ud800-\uffff]/g;
const SURROGATES = 0xd800;
const AFTER_SURROGATES = 0xe000;
const SHIFTED = 0x100;

/** The key as it is stored and compared. */
export function sortable(key: string): string {
  if (!FROM_SURROGATES.test(key)) return key;
  return key.replace(EACH_FROM_SURROGATES, (unit) => {
    const code = unit.charCodeAt(0);
    return code < AFTER_SURROGATES ? `\ue000${String.fromCharCode(code - SURROGATES + SHIFTED)}` : `\ue001${unit}`;
  });
}

/** The key that `sortable` made this of. */
export function unsortable(stored: string): string {
  if (!FROM_SURROGATES.test(stored)) return stored;
  return stored.replace(STORED, (_, surrogate: string | undefined, other: string | undefined) =>
    surrogate === undefined ? (other as string) : String.fromCharCode(surrogate.charCodeAt(0) - SHIFTED + SURROGATES),
  );
}
