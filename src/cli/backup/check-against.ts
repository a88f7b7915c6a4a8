import { compareBackup } from "../../backup/index.ts";
import { Failure } from "../../base/index.ts";
import { printableName } from "../../bytes/index.ts";
import type { CommandContext } from "../command.ts";
import { printJson, printLines, showProgress } from "../print.ts";
import { storeAccess, type StoreArguments } from "./store-options.ts";

interface AgainstArguments extends StoreArguments {
  readonly backup: string;
  readonly against: string;
  readonly disk?: string | undefined;
  readonly json: boolean;
}

/** Compares a backup with a disk, and says what differs. */
export async function checkAgainst(context: CommandContext, args: AgainstArguments): Promise<void> {
  const { backup, against, disk } = args;
  using progress = showProgress(context, args);
  const { same, differences } = await compareBackup(
    { ...storeAccess(context, args), backup, source: against, ...(disk === undefined ? {} : { disk }) },
    { signal: context.signal, onProgress: progress.onProgress },
  );
  progress.clear();
  if (args.json) await printJson(context, { backup, against, same, differences });
  else {
    const lines = differences.flatMap(({ where, message, files = [] }) => {
      return [`${printableName(where)}: ${printableName(message)}`, ...files.map((file) => `  ${printableName(file)}`)];
    });
    await printLines(context, lines);
  }
  if (differences.length > 0) {
    const count = differences.length === 1 ? "one thing differs" : `${differences.length} things differ`;
    throw new Failure("mismatch", `cannot call "${against}" the same as "${backup}": ${count}`);
  }
  if (!args.json) await printLines(context, [`the same: table and boot code, ${same.join(", ")}`]);
}
