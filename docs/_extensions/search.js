
// A number of three digits, which is a status code, is a word: searchtools.js would leave it out.
var splitQuery = (query) =>
  (query.match(/[\p{Letter}\p{Number}_]+/gu) || []).map((word) => word.replace(/^\d{3}$/, "_$&"));

// A page whose title or keyword has all words of a query comes before those that only contain the words.
const findInText = Search._performSearch;
Search._performSearch = (query, words, ...others) => {
  const { docnames, filenames, titles, indexentries } = Search._index;
  const phrases = titles.map((title, page) => [title, page, 100]);
  for (const [entry, places] of Object.entries(indexentries)) {
    for (const [page, , isKeyword] of places) if (isKeyword) phrases.push([entry, page, 101]);
  }
  const best = new Map();
  for (const [phrase, page, weight] of phrases) {
    const known = Search._parseQuery(phrase)[1];
    const score = [...words].every((word) => known.has(word)) ? Math.round((weight * words.size) / known.size) : 0;
    if (score > (best.get(page) || 0)) best.set(page, score);
  }
  const results = findInText(query, words, ...others).filter(
    ([doc, , anchor, , , , kind]) => anchor || (kind !== SearchResultKind.index && !best.has(docnames.indexOf(doc))),
  );
  for (const [page, score] of best) {
    results.push([docnames[page], titles[page], "", null, score, filenames[page], SearchResultKind.title]);
  }
  return results.sort(_orderResultsByScoreThenName);
};
