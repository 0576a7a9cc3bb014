import CoordinatorPlatform
import Testing

@Suite("Python's words")
struct PythonTextTests {
    @Test(
        "values as Python shows them",
        arguments: [
            (JSON.null, "None"), (true, "True"), ("it's", "\"it's\""),
            (["b": 1, "a": [nil, "x"]], "{'a': [None, 'x'], 'b': 1}")
        ] as [(JSON, String)])
    func python(value: JSON, text: String) {
        #expect(value.pythonQuoted == text)
    }
}
