/** What the settings of notifications say, in English. */
export const notify = {
  title: "What you are told",
  lead: "Choose what comes in the list of notifications, what shows up while you are here, and what comes by email.",
  channels: { in_app: "In the list", stream: "While I am here", email: "Email" } as Record<string, string>,
  kinds: {
    streak: "Your streak is about to end",
    weekly_summary: "How your week was",
    certificates: "Certificates",
    grades: "Grades and decisions of your teachers",
    achievements: "Achievements, levels and milestones",
    courses: "Modules and courses",
  } as Record<string, string>,
  choice: (kind: string, channel: string) => `${kind}: ${channel}`,
  kind: "What",
  mailTo: (address: string) => `Email goes to ${address}. Each one has a link to stop it.`,
  toConfirm: (address: string) =>
    `Email goes to ${address} once you have confirmed it: you are mailed a link for that.`,
  confirmLead: {
    none: (address: string) => `No link to confirm ${address} was mailed yet, or it could not be: have one mailed now.`,
    mailed: (address: string) =>
      `A link to confirm that ${address} is yours was mailed there, or is on its way: open it.`,
    "used-up": (address: string) =>
      `A link was mailed to ${address} three times in 30 days, which is all for now: look for the latest.`,
  } as Record<string, (address: string) => string>,
  confirmWhy: "Until then nothing else is mailed. Setting a new password by mail confirms the address too.",
  confirmAgain: { none: "Mail the link", mailed: "Mail the link again" } as Record<string, string>,
  confirmSent: "Asked for. It is on its way, if the mail server takes it.",
  noAddress: "Only accounts with an email address get email.",
  saved: "Saved.",
};
