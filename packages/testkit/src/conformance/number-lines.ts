const PIECE_BYTES = 64 * 1024;

/**
 * The first `byteCount` bytes of "1\n2\n3\n…", what `seq 1 99999999 | head -c N` prints: every piece of it says where it
 * belongs, so that lost, doubled and swapped pieces all change the digest.
 */
export function* numberLines(byteCount: number): Generator<Buffer> {
  let missing = byteCount;
  let next = 1;
  while (missing > 0) {
    let text = "";
    while (text.length < PIECE_BYTES) text += `${next++}\n`;
    const piece = Buffer.from(text, "latin1").subarray(0, missing);
    missing -= piece.length;
    yield piece;
  }
}
