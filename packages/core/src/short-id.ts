/** A runner's id for people: of one that is a digest, as containers have it, the first twelve characters; any other whole, since its end may tell it apart. */
export function shortId(id: string): string {
  return /^[0-9a-f]{32,}$/.test(id) ? id.slice(0, 12) : id;
}
