/** What is said to whoever comes in, in English. */
import { plural } from "./plural";

export const entering = {
  signIn: {
    title: "Sign in",
    lead: "Your progress is where you left it, on any device.",
    go: "Sign in",
    going: "Signing in",
    forgot: "Forgot your password?",
    none: "No account yet?",
    register: "Create one",
    with: (provider: string) => `Continue with ${provider}`,
    demo: "Look around as a learner",
    demoLead: "This is a demo with invented people. Nothing you do here is kept for long.",
  },
  register: {
    title: "Create an account",
    lead: "Keeps your progress for good, and opens it on every device.",
    leadGuest: "What you have done as a guest comes along.",
    go: "Create account",
    going: "Creating",
    have: "Have an account already?",
    signIn: "Sign in",
    passwordHint: "At least 8 characters.",
  },
  moved: {
    welcome: (name: string | null) => (name ? `Welcome, ${name}` : "Welcome"),
    back: (name: string | null) => (name ? `Welcome back, ${name}` : "Welcome back"),
    brought: (events: number, steps: number) =>
      `Your guest progress moved in: ${plural(events, "event")} on ${plural(steps, "step")}.`,
    same: "Your guest progress is now your account's.",
    failed: "You are signed in, but your guest progress could not be moved yet. The next sign-in tries again.",
  },
};
