/** Settings with all that can be in them. What is commented out stands there with what holds without it. */
const example = `# The settings of "holdfast mail serve". Relative paths are meant from the folder of this file.

host_name = "mail.example.org"    # without: the machine's own name
# domains = ["example.org"]       # without: the folders in domains/

[server]
# listen = ["0.0.0.0", "::"]
# imaps_port = 993
# pop3s_port = 995
# imaps = true                    # false: not served
# pop3s = true
# account = "holdfast"            # started as root, the server works as this account of the system
# processes = 2                   # without: one for each core
# audit = "stderr"                # or a file: a line for each login and each refusal, saying why

[mailboxes]
# location = "maildir:~/Maildir"  # or "mbox:~/mail:INBOX=/var/spool/mail/%n"; %u %n %d %h as in Dovecot
# home = "/var/mail/holdfast/%d/%n"   # of users to whom neither imap.passwd nor the system gives one
# quota = "10GB"                # how much each user's mail may be; without: no limit
# system_users = false            # true: users are those of the system; their files are opened as them, needs root

[login]
# certificate_alone = false       # true: without a password too (SASL EXTERNAL)
# expired_revocation_list = "refuse"  # or "accept": what happens when a revocation list is past its end

[certificates]
# server = "/etc/letsencrypt/live/mail.example.org/fullchain.pem"   # without: of the own authority, renewed by itself
# server_key = "/etc/letsencrypt/live/mail.example.org/privkey.pem"
# others = []                     # files with authorities and revocation lists from elsewhere: PEM, or DER of one

[limits]
# connections = 2000              # at once
# connections_per_address = 200
# connections_per_certificate = 50
# handshakes_per_address = 3000   # within the window
# refusals_per_certificate = 20   # within the window; then it is banned
# refusals_per_address = 200
# window = "10m"
# ban = "10m"
# handshake = "20s"               # how long a handshake, and then a login, may take
# login = "60s"

[receiving]
# smtp = false                    # true: mail from other servers, for the mailboxes here and for no others
# smtp_port = 25
# lmtp = "/run/holdfast/lmtp"     # a socket for Postfix or Exim on this machine; without: none
# separator = "+"                 # joe+lists@example.org is joe's; "" where names are not added to
# check_senders = true            # SPF, DKIM and DMARC, in a header
# message_size = "50MiB"
# recipients = 100                # of one message
# connections = 200               # at once
# connections_per_address = 20
# messages_per_address = 500      # within the window
# window = "10m"
`;

/** Settings to begin with. */
export async function exampleOfSettings(): Promise<string> {
  return example;
}
