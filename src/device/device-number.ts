/** Of a device as Linux has it in `rdev`: major and minor number, `8:16`. */
export function deviceNumber(rdev: number): string {
  const major = Math.floor(rdev / 256) & 0xfff;
  const minor = (rdev & 0xff) | (Math.floor(rdev / 2 ** 12) & 0xfff00);
  return `${major}:${minor}`;
}
