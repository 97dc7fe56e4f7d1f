/** include/linux/socket.h */
export const AF_UNIX = 1;
/** sun_path of struct sockaddr_un, unix(7). */
const PATH_BYTES = 108;

/**
 * A struct sockaddr_un: a path, or with `@` in front a name in the abstract namespace, as systemd writes it. Undefined for anything else,
 * and for one that is too long.
 */
export const encodeUnixAddress = (name: string): Buffer | undefined => {
  const abstract = name.startsWith('@');
  if ((!abstract && !name.startsWith('/')) || name.length < 2 || name.includes('\0')) return undefined;
  // The length tells where an abstract name ends, and a NUL a path.
  const path = Buffer.from(abstract ? `\0${name.slice(1)}` : `${name}\0`);
  if (path.length > PATH_BYTES) return undefined;
  const family = Buffer.alloc(2);
  new Uint16Array(family.buffer, family.byteOffset, 1)[0] = AF_UNIX;
  return Buffer.concat([family, path]);
};
