/** A value in one of QEMU's lists of options, where a comma is written twice. */
export function optionValue(text: string): string {
  return text.replaceAll(",", ",,");
}
