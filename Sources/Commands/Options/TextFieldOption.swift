import ArgumentParser

/// Where the text of JSON objects is found.
struct TextFieldOption: ParsableArguments {
  @Option(help: "The field of JSON objects that holds the text.")
  var field = "text"
}
