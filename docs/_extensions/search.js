
// A number of three digits, which is a status code, is a word: searchtools.js would leave it out.
var splitQuery = (query) =>
  (query.match(/[\p{Letter}\p{Number}_]+/gu) || []).map((word) => word.replace(/^\d{3}$/, "_$&"));

const findInText = Search._performSearch;

const isInText = (word) => findInText(word, new Set([word]), new Set(), new Set(), new Set()).length > 0;

const findPhrases = () => {
  const { titles, indexentries } = Search._index;
  const parse = (text) => [...Search._parseQuery(text)[1]];
  const keywords = Object.entries(indexentries).flatMap(([entry, places]) =>
    places.filter(([, , isKeyword]) => isKeyword).map(([page]) => ({ page, words: parse(entry), isKeyword: true })),
  );
  return [...titles.map((title, page) => ({ page, words: parse(title), isKeyword: false })), ...keywords];
};

// A page whose title or keyword has all words of a query comes before those that only contain the words, and so does one
// of whose keywords all words are in the query, which may be a sentence. Words that are nowhere do not count.
Search._performSearch = (query, written, ...others) => {
  const { docnames, filenames, titles } = Search._index;
  const phrases = findPhrases();
  Search._parseQuery(query); // again, for it notes which words the page that is found highlights
  const inPhrases = new Set(phrases.flatMap((phrase) => phrase.words));
  const words = [...written].filter((word) => inPhrases.has(word) || isInText(word));
  const scores = titles.map(() => 0);
  const used = titles.map(() => new Set());
  for (const { page, words: known, isKeyword } of phrases) {
    if (isKeyword && known.every((word) => words.includes(word))) known.forEach((word) => used[page].add(word));
    const isWhole = words.every((word) => known.includes(word));
    const whole = isWhole ? ((isKeyword ? 101 : 100) * words.length) / known.length : 0;
    scores[page] = Math.max(scores[page], Math.round(whole), Math.round((99 * used[page].size) / words.length) || 0);
  }
  const results = findInText(query, new Set(words), ...others).filter(
    ([doc, , anchor, , , , kind]) => anchor || (kind !== SearchResultKind.index && !scores[docnames.indexOf(doc)]),
  );
  scores.forEach((score, page) => {
    if (score) results.push([docnames[page], titles[page], "", null, score, filenames[page], SearchResultKind.title]);
  });
  return results.sort(_orderResultsByScoreThenName);
};
