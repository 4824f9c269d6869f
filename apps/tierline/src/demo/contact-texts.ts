/** What the simulated customers write: enough variety that every queue of the demo gets work. */
export const OPENINGS: readonly { subject: string; text: string }[] = [
  { subject: 'Wrong invoice', text: 'Hello, my invoice 4711 shows a charge that I did not order. Please refund it to my card.' },
  { subject: 'Refund still missing', text: 'I returned the lamp two weeks ago and the payment has not arrived yet.' },
  { subject: 'Router keeps crashing', text: 'Since the update my router shows an error every evening and the login page is broken.' },
  { subject: 'Cannot log in', text: 'The password reset mail never comes. What can I do?' },
  { subject: 'Price for ten seats', text: 'We would like to upgrade to ten seats. Can you make us an offer?' },
  { subject: 'Where can I buy the blue one?', text: 'The shop says sold out. Which price will it have when it is back?' },
  { subject: 'Frage zur Lieferung', text: 'Hallo, wann kommt mein Paket an? Bitte um kurze Rückmeldung, danke.' },
  { subject: 'Rechnung als PDF', text: 'Hallo, ich brauche die Rechnung noch einmal als PDF. Danke und viele Grüße.' },
  { subject: 'Complaint', text: 'This is unacceptable. I have written three times and want to speak to a manager now.' },
  { subject: 'Opening hours', text: 'Are you open on the 24th of December? I would like to pick up my order.' },
  { subject: 'Change of address', text: 'I have moved. Please use the new address for the next delivery.' },
  { subject: 'Thank you', text: 'Just wanted to say that the new chair is great.' },
];

export const FOLLOW_UPS: readonly string[] = [
  'Any news on this?',
  'I forgot to say: the order number is 20881.',
  'Thank you, that helped.',
  'Attached is what you asked for. Is there anything else you need?',
];

export const AGENT_REPLIES: readonly string[] = [
  'Thank you for your message. I have looked into it and it is sorted out now.',
  'I am sorry for the trouble. I have corrected it, please check once more.',
  'Good question. Here is how it works, step by step.',
];
