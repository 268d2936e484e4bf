// The library as a text: what a worker is made of has to be inside a compiled program, where there are no files.

declare module "jsonata/jsonata.min.js" {
  const text: string;
  export default text;
}
