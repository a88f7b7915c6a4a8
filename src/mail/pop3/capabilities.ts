/** What CAPA tells (RFC 2449 §5), the same before and after the login but for SASL's ways. */
export function capabilities(allowsExternal: boolean): readonly string[] {
  return [
    "TOP",
    "UIDL",
    "RESP-CODES",
    "AUTH-RESP-CODE", // RFC 3206 §6
    "PIPELINING",
    "EXPIRE NEVER",
    "USER",
    `SASL PLAIN LOGIN${allowsExternal ? " EXTERNAL" : ""}`,
    "UTF8 USER", // RFC 6856 §2.1
    "IMPLEMENTATION holdfast",
  ];
}
