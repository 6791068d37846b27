import Foundation
import Platform

extension Tokenizer {
  /// Loads the tokenizer of a model folder, with the ids of transformers' `AutoTokenizer`.
  ///
  /// Either `tokenizer.json` or `vocab.txt` is sufficient. Throws `FileError.missing` if there is
  /// neither, `TokenizationError.unsupported` if the ids cannot be reproduced, and the errors of
  /// `Vocabulary`.
  package init(folder: String) throws {
    let configuration = try TokenizerConfiguration(folder: folder)
    let file = try TokenizerFile(path: folder + "/tokenizer.json")
    let pieces = try Self.pieces(folder, configuration, file)
    if configuration.isBERT, let file { try Self.expectAgreement(configuration, file) }
    let legacy = try configuration.hasList ? [] : Self.listed(folder)
    let added = try AddedTokenResolver(path: folder, pieces: pieces)
      .resolve(configuration, file, legacy)
    try self.init(
      pieces: pieces, added: added, source: file?.path ?? folder + "/vocab.txt",
      normalization: configuration.isBERT
        ? configuration.normalization : file?.normalization ?? configuration.normalization,
      maximumCharacters: file?.maximumCharacters)
  }

  /// Loads a `tokenizer.json` alone, with the ids of `Tokenizer.from_file` of `tokenizers`.
  ///
  /// Throws `FileError.missing`, and the errors of `init(folder:)`.
  package init(file path: String) throws {
    guard let file = try TokenizerFile(path: path) else { throw FileError.missing(path: path) }
    let added = try AddedTokenResolver(path: path, pieces: file.tokens)
      .resolve(TokenizerConfiguration(only: path), file, [])
    try self.init(
      pieces: file.tokens, added: added, source: path, normalization: file.normalization,
      maximumCharacters: file.maximumCharacters)
  }

  /// Joins the word pieces and the added tokens, those after the pieces included.
  private init(
    pieces: [String], added: [AddedToken], source: String, normalization: TextNormalization,
    maximumCharacters: Int?
  ) throws {
    let appended = added.filter { $0.id >= pieces.count }
    self.init(
      vocabulary: try Vocabulary(
        tokens: pieces + appended.map(\.name), added: appended.count, source: source),
      normalization: normalization, maximumCharacters: maximumCharacters, addedTokens: added)
  }

  /// The word pieces.
  ///
  /// `tokenizer.json` and `vocab.txt` must agree, because transformers reads the first and people
  /// edit the second.
  private static func pieces(
    _ folder: String, _ configuration: TokenizerConfiguration, _ file: TokenizerFile?
  ) throws -> [String] {
    let list = folder + "/vocab.txt"
    guard FileManager.default.fileExists(atPath: list) else {
      if let file { return file.tokens }
      throw missing(folder)
    }
    let tokens = try Vocabulary.tokens(contentsOf: list)
    guard let file else {
      if configuration.isBERT { return tokens }
      throw TokenizationError.unsupported(
        path: configuration.path,
        reason: "its tokenizer_class needs tokenizer.json, which is missing")
    }
    guard tokens.count == file.tokens.count,
      zip(tokens, file.tokens).allSatisfy({ $0.utf8.elementsEqual($1.utf8) })
    else {
      throw TokenizationError.unsupported(
        path: folder,
        reason: "vocab.txt and tokenizer.json have different tokens; remove vocab.txt to use "
          + "tokenizer.json, as transformers does, or tokenizer.json to use vocab.txt")
    }
    return tokens
  }

  /// The error for a folder without `vocab.txt` and `tokenizer.json`.
  private static func missing(_ folder: String) -> any Error {
    let others = [
      "spiece.model", "tokenizer.model", "sentencepiece.bpe.model", "merges.txt", "bpe.codes",
    ]
    let other = others.first { FileManager.default.fileExists(atPath: folder + "/" + $0) }
    guard let other else { return FileError.missing(path: folder + "/vocab.txt") }
    return TokenizationError.unsupported(
      path: folder,
      reason: "it has \(other) but no vocab.txt or tokenizer.json; only WordPiece is supported")
  }

  /// Throws `unsupported` if transformers 4 and 5 give different ids.
  ///
  /// For a class of BERT's, transformers 4 uses `tokenizer.json`, while transformers 5 builds the
  /// tokenizer from the vocabulary and `tokenizer_config.json`.
  private static func expectAgreement(
    _ configuration: TokenizerConfiguration, _ file: TokenizerFile
  ) throws(TokenizationError) {
    var key: String?
    if file.normalizer != "BertNormalizer" {
      key = "the normalizer \(file.normalizer)"
    } else if !file.normalization.cleansText {
      key = "clean_text false"
    }
    if file.maximumCharacters != WordBuffer.maximumCharacters {
      key = "max_input_chars_per_word \(file.maximumCharacters)"
    }
    if configuration.hasList {
      let known = Set((configuration.listed + configuration.named).map(\.key))
      if let token = file.added.first(where: { !known.contains($0.key) }) {
        key = "the added token \(token.name), which tokenizer_config.json does not list"
      }
    }
    guard let key else { return }
    throw .unsupported(
      path: file.path,
      reason: "it has \(key): transformers 4 applies this and transformers 5 does not; set "
        + "tokenizer_class in tokenizer_config.json to PreTrainedTokenizerFast to apply it")
  }

  /// The tokens of `added_tokens.json` with their ids.
  private static func listed(
    _ folder: String
  ) throws(TokenizationError) -> [(name: String, id: Int)] {
    let (reader, file) = (ConfigurationReader(folder: folder), "added_tokens.json")
    guard let data = try ConfigurationReader.contents(of: reader.path(file)),
      let known = try reader.object(file)
    else { return [] }
    var scanner = ObjectScanner(data)
    var tokens: [(name: String, id: Int)] = []
    while let (name, id) = scanner.next() { tokens.append((name, id)) }
    guard tokens.count >= known.count else {
      throw .unsupported(path: reader.path(file), reason: "an id in it is not an integer")
    }
    return tokens
  }
}

/// Determines the added tokens of a folder or file and their ids.
private struct AddedTokenResolver {
  let path: String
  private let ids: [[UInt8]: Int]

  init(path: String, pieces: [String]) {
    self.path = path
    ids = Dictionary(zip(pieces.map { Array($0.utf8) }, pieces.indices)) { first, _ in first }
  }

  /// The added tokens in the order of their ids.
  ///
  /// `legacy` are the tokens of `added_tokens.json`, which are used only if `tokenizer_config.json`
  /// has no list. Throws `unsupported`.
  func resolve(
    _ configuration: TokenizerConfiguration, _ file: TokenizerFile?,
    _ legacy: [(name: String, id: Int)]
  ) throws(TokenizationError) -> [AddedToken] {
    var found: [[UInt8]: TokenDescription] = [:]
    for token in file?.added ?? [] { found[token.key] = token }
    for token in configuration.listed { found[token.key] = token }
    if !configuration.hasList {
      let special = Set(configuration.named.map(\.key))
      for (name, id) in legacy {
        let isSpecial = special.contains(Array(name.utf8))
        let token = TokenDescription(name: name, id: id, isSpecial: isSpecial)
        if found[token.key] == nil { found[token.key] = token }
      }
    }
    for name in configuration.newlyNamed where found[Array(name.utf8)] == nil {
      throw refuse(name, "is special in transformers 5 but not in 4")
    }
    for token in configuration.named where found[token.key] == nil { found[token.key] = token }
    found[[]] = nil
    return try number(found.sorted { $0.key.lexicographicallyPrecedes($1.key) }.map(\.value))
  }

  /// Assigns the ids: that of the equal word piece, or the described one.
  ///
  /// Ids beyond the word pieces must follow them without a gap, because they become indices of the
  /// vocabulary.
  private func number(
    _ tokens: [TokenDescription]
  ) throws(TokenizationError) -> [AddedToken] {
    var added: [AddedToken] = []
    for token in tokens {
      if let problem = token.problem {
        throw refuse(
          token.name,
          "is \(problem), which is not supported; set \(problem) to false to match it exactly as "
            + "written")
      }
      guard let id = ids[token.key] ?? token.id else {
        // `Vocabulary` reports missing special tokens.
        if SpecialTokens.names.contains(token.name) { continue }
        throw refuse(token.name, "is in no vocabulary; add it as a line of vocab.txt")
      }
      if let other = token.id, other != id {
        throw refuse(token.name, "has the id \(other), but \(id) in the vocabulary")
      }
      guard let id = Int32(exactly: id), id >= 0 else {
        throw refuse(token.name, "has the id \(id)")
      }
      added.append(AddedToken(name: token.name, id: id, isSpecial: token.isSpecial))
    }
    added.sort { $0.id < $1.id }
    for (token, id) in zip(added.filter { ids[Array($0.name.utf8)] == nil }, ids.count...)
    where token.id != id {
      throw refuse(token.name, "has the id \(token.id), and the next free one is \(id)")
    }
    return added
  }

  private func refuse(_ name: String, _ reason: String) -> TokenizationError {
    .unsupported(path: path, reason: "the added token \(name) \(reason)")
  }
}
