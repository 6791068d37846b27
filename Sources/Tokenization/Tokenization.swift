// Tokenization: see the files beside this one.
