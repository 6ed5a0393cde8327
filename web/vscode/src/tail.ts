/** The end of a text that grows, for as long as nobody reads it. */
export class Tail {
  private readonly parts: string[] = [];
  private length = 0;
  private isCut = false;

  /** `cut` stands in the place of a beginning that is gone; `most` is in characters, beyond the last part. */
  constructor(
    private readonly most: number,
    private readonly cut: string,
  ) {}

  add(part: string): void {
    this.parts.push(part);
    this.length += part.length;
    while (this.length - (this.parts[0]?.length ?? 0) > this.most) {
      this.length -= this.parts.shift()?.length ?? 0;
      this.isCut = true;
    }
  }

  text(): string {
    return (this.isCut ? this.cut : "") + this.parts.join("");
  }
}
