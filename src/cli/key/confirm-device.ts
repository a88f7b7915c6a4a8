import type { KeyWritePlan } from "../../key/index.ts";
import { ask } from "../ask.ts";
import type { CommandContext } from "../command.ts";
import { printLines, printWarnings } from "../print.ts";
import { planLines } from "./write-text.ts";

/** How it is confirmed that a device is the right one, for every command that writes over all of it. */
export const confirmOptions = {
  confirm: {
    kind: "string",
    value: "SERIAL",
    help: "the device's serial number, instead of being asked; what is not removable is written only with it",
  },
  "dry-run": { kind: "flag", short: "n", help: "show the device and what would be done, and write nothing" },
} as const;

interface ConfirmArguments {
  readonly confirm: string | undefined;
  readonly json: boolean;
}

/** Shows what would be lost and what is written. */
export async function showPlan(context: CommandContext, plan: KeyWritePlan, { json }: ConfirmArguments): Promise<void> {
  if (!json) await printLines(context, planLines(plan));
  await context.stdout.flush();
  await printWarnings(context, plan.notes);
}

/** Shows the plan, and asks for what names the device where that was not given. */
export function approver(
  context: CommandContext,
  args: ConfirmArguments,
): (plan: KeyWritePlan) => Promise<string | undefined> {
  return async (plan) => {
    await showPlan(context, plan, args);
    if (args.confirm !== undefined) return undefined;
    const { device, confirmation } = plan;
    return ask(context, `All that is on ${device.path} is lost. To go on, type its ${confirmation.what}: `);
  };
}
