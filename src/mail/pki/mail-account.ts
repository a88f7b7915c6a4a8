/** What a mail program has to be told of an account. */
export interface MailAccount {
  /** `joe@example.org`, which is the name for the login too. */
  readonly mailbox: string;
  /** Where the server is reached. */
  readonly host: string;
  readonly imapsPort: number;
  readonly pop3sPort: number;
  /** Where mail is sent through. */
  readonly smtpHost: string;
  readonly smtpPort: number;
  /** Whether the certificate alone opens the mailbox. */
  readonly isCertificateAlone: boolean;
}

export function domainOf(mailbox: string): string {
  return mailbox.slice(mailbox.lastIndexOf("@") + 1);
}
