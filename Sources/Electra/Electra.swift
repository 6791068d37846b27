// Electra: see the files beside this one.
