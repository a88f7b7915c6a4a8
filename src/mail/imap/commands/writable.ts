import { No, type Selected, type Session } from "../session/index.ts";

/** The selected mailbox, of which something is to be changed. */
export function writable(session: Session): Selected {
  const { selected } = session;
  if (selected.mailbox.isReadOnly) throw new No("The mailbox is open for reading only.", "CANNOT");
  return selected;
}
