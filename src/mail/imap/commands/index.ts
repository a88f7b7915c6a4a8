import { searchCommand, sortCommand, threadCommand } from "../search/index.ts";
import type { Command } from "../session/index.ts";
import { append } from "./append.ts";
import { authenticate } from "./authenticate.ts";
import { capability } from "./capability.ts";
import { check } from "./check.ts";
import { close } from "./close.ts";
import { compress } from "./compress.ts";
import { copy } from "./copy.ts";
import { create } from "./create.ts";
import { deleteMailbox } from "./delete.ts";
import { enable } from "./enable.ts";
import { expunge } from "./expunge.ts";
import { fetch } from "./fetch.ts";
import { id } from "./id.ts";
import { idle } from "./idle.ts";
import { list } from "./list.ts";
import { login } from "./login.ts";
import { logout } from "./logout.ts";
import { lsub } from "./lsub.ts";
import { move } from "./move.ts";
import { namespace } from "./namespace.ts";
import { noop } from "./noop.ts";
import { getQuota, getQuotaRoot, setQuota } from "./quota.ts";
import { rename } from "./rename.ts";
import { replace } from "./replace.ts";
import { examine, select } from "./select.ts";
import { status } from "./status.ts";
import { store } from "./store.ts";
import { subscribe, unsubscribe } from "./subscribe.ts";
import { unselect } from "./unselect.ts";

const beforeAndAfterLogin = [capability, noop, logout, id, login, authenticate];
const onMailboxes = [create, deleteMailbox, rename, subscribe, unsubscribe, list, lsub, namespace, status, append];
const onTheConnection = [enable, idle, compress, getQuota, getQuotaRoot, setQuota, select, examine];
const onMessages = [check, close, unselect, expunge, fetch, store, copy, move, replace];
const onManyMessages = [searchCommand, sortCommand, threadCommand];

/** Every command by its name in upper case, with those that begin with UID. */
export const commands: ReadonlyMap<string, Command> = new Map(
  [beforeAndAfterLogin, onMailboxes, onTheConnection, onMessages, onManyMessages]
    .flat(2)
    .map((command) => [command.name, command]),
);
