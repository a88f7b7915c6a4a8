/** Raised with every change of the tables: an index of another version is made anew. */
export const schemaVersion = 2;

export const schema = `
  CREATE TABLE mailboxes (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL UNIQUE,
    mailboxId TEXT NOT NULL,
    uidValidity INTEGER NOT NULL,
    uidNext INTEGER NOT NULL,
    highestModSeq INTEGER NOT NULL,
    -- Of what vanished at or before it, not everything is in the log.
    vanishedFloor INTEGER NOT NULL,
    -- What the store's files looked like when the rows were last known to agree with them.
    stamp TEXT NOT NULL
  );
  CREATE TABLE messages (
    mailbox INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    place TEXT NOT NULL,
    flags TEXT NOT NULL,
    modSeq INTEGER NOT NULL,
    sizeBytes INTEGER NOT NULL,
    receivedMs INTEGER NOT NULL,
    savedMs INTEGER NOT NULL,
    emailId TEXT NOT NULL,
    PRIMARY KEY (mailbox, uid)
  ) WITHOUT ROWID;
  CREATE INDEX messagesByModSeq ON messages (mailbox, modSeq);
  CREATE INDEX messagesByEmail ON messages (emailId);
  CREATE TABLE vanished (
    mailbox INTEGER NOT NULL,
    modSeq INTEGER NOT NULL,
    uid INTEGER NOT NULL,
    PRIMARY KEY (mailbox, modSeq, uid)
  ) WITHOUT ROWID;
  -- Copies of a message have one row.
  CREATE TABLE contents (
    id INTEGER PRIMARY KEY,
    emailId TEXT NOT NULL UNIQUE,
    -- What its header says, and of which parts it is; the latter only together with the former.
    summary TEXT,
    parts TEXT,
    -- 0: its text is not in the index; 1: it is; 2: its beginning is.
    text INTEGER NOT NULL DEFAULT 0
  );
  CREATE VIRTUAL TABLE texts USING fts5 (
    headers, body, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
  );
  PRAGMA user_version = ${schemaVersion};
`;
