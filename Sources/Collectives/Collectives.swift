// Collectives: see the files beside this one.
