/** A random UUID (version 4). `crypto.randomUUID` would do, but is missing on pages that come without HTTPS. */
export function newId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  const digits = Array.from(bytes, (one, at) => {
    const marked = at === 6 ? (one & 0x0f) | 0x40 : at === 8 ? (one & 0x3f) | 0x80 : one;
    return marked.toString(16).padStart(2, "0");
  }).join("");
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
