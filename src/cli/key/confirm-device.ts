import type { KeyWritePlan } from "../../key/index.ts";
import type { CommandContext } from "../command.ts";
import { askFor } from "../confirm-device.ts";
import { printLines, printWarnings } from "../print.ts";
import { planLines } from "./write-text.ts";

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
    const { device, confirmation } = plan;
    return await askFor(context, confirmation, { confirm: args.confirm, lost: `All that is on ${device.path}` });
  };
}
