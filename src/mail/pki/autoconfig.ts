import { domainOf, type MailAccount } from "./mail-account.ts";
import { xmlText } from "./xml-text.ts";

/**
 * What Thunderbird and its kin look for at `https://autoconfig.DOMAIN/mail/config-v1.1.xml`. It is the same for every
 * mailbox of a domain.
 */
export function autoconfigXml(account: MailAccount): string {
  const domain = xmlText(domainOf(account.mailbox));
  const host = xmlText(account.host);
  const incoming = (type: "imap" | "pop3", port: number): string => `    <incomingServer type="${type}">
      <hostname>${host}</hostname>
      <port>${port}</port>
      <socketType>SSL</socketType>
      <authentication>${account.isCertificateAlone ? "TLS-client-cert" : "password-cleartext"}</authentication>
      <username>%EMAILADDRESS%</username>
    </incomingServer>
`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<clientConfig version="1.1">
  <emailProvider id="${domain}">
    <domain>${domain}</domain>
    <displayName>${domain}</displayName>
    <displayShortName>${domain}</displayShortName>
${incoming("imap", account.imapsPort)}${incoming("pop3", account.pop3sPort)}    <outgoingServer type="smtp">
      <hostname>${xmlText(account.smtpHost)}</hostname>
      <port>${account.smtpPort}</port>
      <socketType>${account.smtpPort === 465 ? "SSL" : "STARTTLS"}</socketType>
      <authentication>password-cleartext</authentication>
      <username>%EMAILADDRESS%</username>
    </outgoingServer>
  </emailProvider>
</clientConfig>
`;
}
