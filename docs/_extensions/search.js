
// A number of three digits, which is a status code, is a word: searchtools.js would leave it out.
var splitQuery = (query) =>
  (query.match(/[\p{Letter}\p{Number}_]+/gu) || []).map((word) => word.replace(/^\d{3}$/, "_$&"));

const findInText = Search._performSearch;

const findPhrases = () => {
  const { titles, indexentries } = Search._index;
  const parse = (text) => [...Search._parseQuery(text)[1]];
  const keywords = Object.entries(indexentries).flatMap(([entry, places]) =>
    places.filter(([, , isKeyword]) => isKeyword).map(([page]) => ({ page, words: parse(entry), isKeyword: true })),
  );
  return [...titles.map((title, page) => ({ page, words: parse(title), isKeyword: false })), ...keywords];
};

const findPages = (index, word) => (Object.hasOwn(index, word) ? [index[word]].flat() : []);

// How well a word fits each page: half as well if it is only in the text, and less if it is a part of other words.
const findWord = (word, phrases) => {
  const { titles, terms, titleterms } = Search._index;
  const shares = titles.map(() => 0);
  for (const page of findPages(terms, word)) shares[page] = 0.5;
  for (const page of findPages(titleterms, word)) shares[page] = 1;
  for (const { page, words } of phrases) if (words.includes(word)) shares[page] = 1;
  if (shares.some(Boolean) || word.length < 3) return shares;
  for (const [index, share] of [[terms, 0.2], [titleterms, 0.4]]) {
    const longer = Object.keys(index).filter((term) => term.includes(word));
    for (const page of longer.flatMap((term) => index[term])) shares[page] = share;
  }
  return shares;
};

// A page that has only some of the words is found, too. The rarer a word, the more it counts; the reference has most words.
const rankByWords = (found) => {
  const { docnames } = Search._index;
  const weights = found.map((shares) => 1 + Math.log(1 + docnames.length / shares.filter(Boolean).length));
  const whole = weights.reduce((sum, weight) => sum + weight, 0);
  return docnames.map((name, page) => {
    const score = found.reduce((sum, shares, number) => sum + shares[page] * weights[number], 0) / whole;
    return (name.startsWith("reference/") ? 12 : 15) * (score || 0);
  });
};

// A page whose title or keyword has all words of a query comes before those that only contain the words, and so does one
// of whose keywords all words are in the query, which may be a sentence. Words that are nowhere do not count.
Search._performSearch = (query, written, ...others) => {
  const { docnames, filenames, titles } = Search._index;
  const phrases = findPhrases();
  Search._parseQuery(query); // again, for it notes which words the page that is found highlights
  const found = [...written].map((word) => [word, findWord(word, phrases)]).filter(([, shares]) => shares.some(Boolean));
  const words = found.map(([word]) => word);
  const ranks = rankByWords(found.map(([, shares]) => shares));
  const scores = titles.map(() => 0);
  const used = titles.map(() => new Set());
  for (const { page, words: known, isKeyword } of phrases) {
    if (isKeyword && known.every((word) => words.includes(word))) known.forEach((word) => used[page].add(word));
    const isWhole = words.every((word) => known.includes(word));
    const whole = isWhole ? ((isKeyword ? 101 : 100) * words.length) / known.length : 0;
    scores[page] = Math.max(scores[page], whole, (99 * used[page].size) / words.length || 0);
  }
  ranks.forEach((rank, page) => (scores[page] = Math.max(rank, scores[page] && scores[page] + rank / 20)));
  const results = findInText(query, new Set(words), ...others).filter(
    ([doc, , anchor, , , , kind]) => anchor || (kind !== SearchResultKind.index && !scores[docnames.indexOf(doc)]),
  );
  // Who writes a name as code means the reference.
  const isName = (title) => /[._]|[a-z][A-Z]/.test(query) && `.${title}`.endsWith(`.${query}`);
  for (const each of results) if (each[6] === SearchResultKind.object && isName(each[1])) each[4] = 200;
  scores.forEach((score, page) => {
    if (score > 3) results.push([docnames[page], titles[page], "", null, score, filenames[page], SearchResultKind.title]);
  });
  return results.sort(_orderResultsByScoreThenName);
};
