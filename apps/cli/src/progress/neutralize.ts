/** Text from elsewhere as it may stand in a line of a terminal: escape sequences and control characters but tabs are taken out. */
export function neutralize(text: string): string {
  return text.replaceAll(SEQUENCES, "").replaceAll(CONTROLS, "");
}

/** CSI, then OSC and its kin up to their end, then every other escape. */
// oxlint-disable-next-line no-control-regex
const SEQUENCES = /(?:\u001b\[|\u009b)[0-?]*[ -/]*[@-~]|\u001b[\]PX^_][^\u0007\u001b\u009c]*(?:\u0007|\u001b\\|\u009c)?|\u001b[ -/]*[0-~]?/g;
/** C0 but tab, DEL, C1, and the marks that turn the direction of text. */
// oxlint-disable-next-line no-control-regex
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
