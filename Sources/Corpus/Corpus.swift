// Corpus: see the files beside this one.
