export { fetchPlan } from "./fetch-plan.ts";
export { tellMessages } from "./tell-messages.ts";
