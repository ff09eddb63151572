namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>The types that the matrix tests.</summary>
static class Kinds
{
    const string Part = "public class Part { public string? Text { get; set; } public int Number { get; set; } }";

    static readonly Kind[] Numbers =
    [
        new("bool", "true", "false"),
        new("byte", "7", "255", "0"),
        new("sbyte", "7", "-128", "127"),
        new("short", "7", "-32768", "32767"),
        new("ushort", "7", "65535", "0"),
        new("int", "7", "int.MinValue", "int.MaxValue", "0"),
        new("uint", "7", "uint.MaxValue", "0"),
        new("long", "7", "long.MinValue", "long.MaxValue", "0"),
        new("ulong", "7", "ulong.MaxValue", "0"),
        new("char", "'x'", "'\\uffff'", "'\\0'"),
        new("float", "1.5f", "float.MinValue", "float.MaxValue", "float.Epsilon", "float.NaN", "float.NegativeInfinity", "-0f") { KeyValues = ["1.5f", "float.MinValue", "float.MaxValue"] },
        new("double", "1.5", "double.MinValue", "double.MaxValue", "double.Epsilon", "double.NaN", "double.PositiveInfinity", "-0.0") { KeyValues = ["1.5", "double.MinValue", "double.MaxValue"] },
        new("decimal", "1.50m", "decimal.MinValue", "decimal.MaxValue", "0.0000000000000000000000000001m", "-0.00m", "100m"),
        new("Guid", "new Guid(\"00112233-4455-6677-8899-aabbccddeeff\")", "Guid.AllBitsSet", "new Guid(\"00000000-0000-0000-0000-000000000001\")"),
        new("DateTime", "new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc)", "new DateTime(2020, 1, 2)", "DateTime.MaxValue", "DateTime.MinValue")
            { KeyValues = ["new DateTime(2020, 1, 2, 3, 4, 5, DateTimeKind.Utc)", "DateTime.SpecifyKind(DateTime.MaxValue, DateTimeKind.Utc)", "DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc)"] },
        new("DateTimeOffset", "new DateTimeOffset(2020, 1, 2, 3, 4, 5, TimeSpan.FromMinutes(-330))", "DateTimeOffset.MaxValue", "DateTimeOffset.MinValue"),
        new("DateOnly", "new DateOnly(2020, 1, 2)", "DateOnly.MaxValue", "DateOnly.MinValue"),
        new("TimeOnly", "new TimeOnly(1, 2, 3)", "TimeOnly.MaxValue", "TimeOnly.MinValue"),
        new("TimeSpan", "TimeSpan.FromTicks(-7)", "TimeSpan.MaxValue", "TimeSpan.MinValue"),
        new("DayOfWeek", "DayOfWeek.Friday", "(DayOfWeek)int.MinValue", "(DayOfWeek)int.MaxValue") { Name = "enums" },
        new("Tiny", "Tiny.B", "(Tiny)255") { Name = "enums", Declarations = "public enum Tiny : byte { A, B }" },
        new("Huge", "Huge.B", "(Huge)ulong.MaxValue") { Name = "enums", Declarations = "public enum Huge : ulong { A, B }" },
        new("Deep", "Deep.B", "(Deep)long.MinValue") { Name = "enums", Declarations = "public enum Deep : long { A = 5, B = -3 }" },
    ];

    static readonly Kind[] OtherNumbers =
    [
        new("Half", "(Half)1.5", "Half.MaxValue"),
        new("Int128", "7", "Int128.MinValue"),
        new("UInt128", "7", "UInt128.MaxValue"),
        new("System.Numerics.BigInteger", "7", "System.Numerics.BigInteger.One") { Name = "BigInteger" },
    ];

    static readonly Kind[] References =
    [
        new("string", "\"x\"", "\"\"", "\"\\u00e4\\ud83d\\ude00\\0\""),
        new("string?", "\"x\"", "null", "\"\"") { Name = "string" },
        new("byte[]", "[1, 0, 255]", "[]", "[0]"),
        new("byte[]?", "[1, 0, 255]", "null", "[]") { Name = "byte[]" },
        new("Uri", "new Uri(\"http://a/b\")", "new Uri(\"x\", UriKind.Relative)"),
        new("Version", "new Version(1, 2)", "new Version(1, 2, 3, 4)"),
        new("System.Net.IPAddress", "System.Net.IPAddress.Loopback", "System.Net.IPAddress.IPv6Any") { Name = "IPAddress" },
        new("System.Text.Json.JsonElement", "default", "default") { Name = "JsonElement" },
        new("System.Text.Json.Nodes.JsonNode", "1", "2") { Name = "JsonNode" },
        new("System.Text.Json.Nodes.JsonObject", "new()", "new()") { Name = "JsonObject" },
        new("object", "1", "2"),
        new("dynamic", "1", "2"),
        new("Action", "() => { }", "() => { }") { Name = "delegates" },
    ];

    static readonly Kind[] Objects =
    [
        new("Part", "new() { Text = \"x\", Number = 1 }", "new()") { Name = "classes", Declarations = Part },
        new("Part?", "new() { Text = \"x\", Number = 1 }", "null", "new()") { Name = "classes", Declarations = Part },
        new("Sealed", "new(\"x\", 1)", "new(null, 2)") { Name = "records", Declarations = "public sealed record Sealed(string? Text, int Number);" },
        new("Outer.Inner", "new() { Number = 1 }", "new()") { Name = "classes", Declarations = "public static class Outer { public class Inner { public int Number { get; set; } } }" },
        new("Leaf", "new() { Number = 1, More = \"m\" }", "new()")
            { Name = "classes", Declarations = "public class Trunk { public int Number { get; private protected set; } public int Of { init => Number = value; } } public class Leaf : Trunk { public new int Number { get => base.Number; set => base.Number = value; } public string? More { get; init; } }" },
        new("Box<int>", "new() { Value = 1 }", "new()") { Name = "generic classes", Declarations = "public class Box<T> { public T? Value { get; set; } }" },
        new("Money", "new Money { Amount = 1.5m, Unit = \"EUR\" }", "default", "new Money { Amount = 2 }") { Name = "structures", Declarations = "public struct Money { public decimal Amount { get; set; } public string? Unit { get; set; } }" },
        new("Money?", "new Money { Amount = 1.5m }", "null", "new Money()") { Name = "structures", Declarations = "public struct Money { public decimal Amount { get; set; } public string? Unit { get; init; } }" },
        new("Fixed", "new Fixed(1, \"x\")", "new Fixed(2, null)") { Name = "structures", Declarations = "public readonly struct Fixed(int number, string? text) { public int Number { get; } = number; public string? Text { get; } = text; }" },
        new("Point", "new Point(1, 2)", "new Point(3, 4)", "default") { Name = "structures", Declarations = "public readonly record struct Point(int X, int Y);" },
        new("Loose", "new Loose(1, null)", "default") { Name = "structures", Declarations = "public record struct Loose(int X, string? Y) { public int Z { get; private set; } = 3; }" },
        new("Pair<int, string>", "new(1, \"a\")", "new(2, \"b\")") { Name = "structures", Declarations = "public readonly record struct Pair<A, B>(A First, B Second);" },
        new("Shut", "new Shut(1)", "new Shut(2)") { Name = "structures with other fields", Declarations = "public readonly struct Shut(int x) { readonly int _x = x; public int Twice => _x * 2; public string Name { get; } = \"\"; }" },
        new("Open", "new Open { X = 1 }", "default") { Name = "structures with other fields", Declarations = "public struct Open { public int X; }" },
        new("Bare", "new()", "new()") { Name = "classes without properties", Declarations = "public class Bare { public int X; }" },
        new("Shape", "new Round()", "new Round()") { Name = "abstract classes, interfaces", Declarations = "public abstract class Shape { public int X { get; set; } } public class Round : Shape;" },
        new("IShape", "new Round()", "new Round()") { Name = "abstract classes, interfaces", Declarations = "public interface IShape { int X { get; set; } } public class Round : IShape { public int X { get; set; } }" },
        new("(int A, string B)", "(1, \"x\")", "(2, \"y\")") { Name = "tuples" },
        new("Tuple<int, string>", "Tuple.Create(1, \"x\")", "Tuple.Create(2, \"y\")") { Name = "tuples" },
        new("KeyValuePair<string, int>", "new(\"x\", 1)", "new(\"y\", 2)") { Name = "KeyValuePair" },
    ];

    static readonly Kind[] Collections =
    [
        .. Of("{0}<string>", "[\"a\", \"b\"]", "[]", "IEnumerable", "ICollection", "IList", "IReadOnlyCollection", "IReadOnlyList", "List", "ObjectModel.Collection",
            "ObjectModel.ObservableCollection", "Immutable.ImmutableArray", "Immutable.ImmutableList", "Immutable.IImmutableList",
            "HashSet", "SortedSet", "Immutable.ImmutableHashSet", "Immutable.IImmutableSet", "Immutable.ImmutableSortedSet"),
        .. Of("{0}<string>", "new([\"a\", \"b\"])", "new([])", "ObjectModel.ReadOnlyCollection", "LinkedList", "Queue", "Stack", "Concurrent.ConcurrentBag", "Concurrent.ConcurrentQueue"),
        .. Of("{0}<string>", "new HashSet<string> { \"a\", \"b\" }", "new HashSet<string>()", "ISet", "IReadOnlySet"),
        .. Of("{0}<string, int>", "new Dictionary<string, int> { [\"a\"] = 1, [\"b\"] = 2 }", "new Dictionary<string, int>()", "IDictionary", "IReadOnlyDictionary", "Dictionary"),
        .. Of("{0}<string, int>", "new(new Dictionary<string, int> { [\"a\"] = 1, [\"b\"] = 2 })", "new(new Dictionary<string, int>())", "SortedDictionary", "SortedList",
            "Concurrent.ConcurrentDictionary", "ObjectModel.ReadOnlyDictionary"),
        .. new[] { "Immutable.ImmutableDictionary", "Immutable.IImmutableDictionary", "Immutable.ImmutableSortedDictionary" }.SelectMany(name => Of(
            "{0}<string, int>", $"{Full(name).Replace(".I", ".", StringComparison.Ordinal).Replace(".mm", ".Imm", StringComparison.Ordinal)}.CreateRange(new Dictionary<string, int> {{ [\"a\"] = 1 }})",
            $"{Full(name).Replace(".I", ".", StringComparison.Ordinal).Replace(".mm", ".Imm", StringComparison.Ordinal)}<string, int>.Empty", name)),
        .. Of("{0}<string>", "System.Collections.Frozen.FrozenSet.ToFrozenSet([\"a\", \"b\"])", "System.Collections.Frozen.FrozenSet<string>.Empty", "Frozen.FrozenSet"),
        .. Of("{0}<string, int>", "System.Collections.Frozen.FrozenDictionary.ToFrozenDictionary(new Dictionary<string, int> { [\"a\"] = 1 })",
            "System.Collections.Frozen.FrozenDictionary<string, int>.Empty", "Frozen.FrozenDictionary"),
        new("string[]", "[\"a\", \"b\"]", "[]") { Name = "arrays" },
        new("string?[]", "[\"a\", null]", "[]") { Name = "arrays" },
        new("int[]?", "[1, 0]", "null", "[]") { Name = "arrays" },
        new("int[][]", "[[1], []]", "[]") { Name = "arrays" },
        new("int[,]", "new int[,] { { 1 } }", "new int[0, 0]") { Name = "arrays of several dimensions" },
        new("Memory<byte>", "new byte[] { 1 }", "default") { Name = "Memory" },
        new("ReadOnlyMemory<byte>", "new byte[] { 1 }", "default") { Name = "Memory" },
        new("List<int?>", "[1, null]", "[]") { Name = "List" },
        new("List<string>?", "[\"a\"]", "null", "[]") { Name = "List" },
        new("List<List<int>>", "[[1], []]", "[]") { Name = "List" },
        new("List<Part>", "[new() { Text = \"x\" }]", "[]") { Name = "List", Declarations = Part },
        new("List<Part?>", "[new() { Text = \"x\" }, null]", "[]") { Name = "List", Declarations = Part },
        new("IReadOnlyList<Point>", "[new(1, 2)]", "[]") { Name = "IReadOnlyList", Declarations = "public readonly record struct Point(int X, int Y);" },
        new("HashSet<int>?", "[1]", "null", "[]") { Name = "HashSet" },
        new("IReadOnlySet<int>?", "new HashSet<int> { 1 }", "null", "new HashSet<int>()") { Name = "IReadOnlySet" },
        new("Dictionary<string, string?>?", "new() { [\"a\"] = null }", "null", "new()") { Name = "Dictionary" },
        new("Dictionary<int, Part>", "new() { [1] = new() { Number = 2 } }", "new()") { Name = "Dictionary", Declarations = Part },
        new("Dictionary<DayOfWeek, List<int>>", "new() { [DayOfWeek.Friday] = [1] }", "new()") { Name = "Dictionary" },
        new("List<HashSet<int>>", "[[1]]", "[]") { Name = "collections of sets or dictionaries" },
        new("Dictionary<string, HashSet<int>>", "new() { [\"a\"] = [1] }", "new()") { Name = "collections of sets or dictionaries" },
        new("Dictionary<string, Dictionary<string, int>>", "new() { [\"a\"] = new() }", "new()") { Name = "collections of sets or dictionaries" },
        new("HashSet<Part>", "[new()]", "[]") { Name = "sets of objects", Declarations = Part },
        new("Tags", "new() { \"a\" }", "new()") { Name = "classes derived from collections", Declarations = "public class Tags : List<string>;" },
        new("System.Collections.ArrayList", "new() { 1 }", "new()") { Name = "collections of object" },
        new("System.Collections.Hashtable", "new() { [1] = 1 }", "new()") { Name = "collections of object" },
        new("PriorityQueue<string, int>", "new()", "new()") { Name = "PriorityQueue" },
    ];

    public static IReadOnlyList<Kind> All { get; } = [
        .. Numbers, .. Numbers.Select(number => Nullable(number) with { Name = "nullable ones of these" }),
        .. References, .. OtherNumbers, .. OtherNumbers.Select(Nullable), .. Objects, .. Collections,
    ];

    static Kind Nullable(Kind kind) => kind with { Type = kind.Type + "?", Values = [kind.Values[0], "null", .. kind.Values[1..]], KeyValues = kind.KeyValues };

    static IEnumerable<Kind> Of(string type, string value, string empty, params string[] names) => names.Select(name =>
        new Kind(string.Format(System.Globalization.CultureInfo.InvariantCulture, type, Full(name)), value, empty) { Name = name[(name.LastIndexOf('.') + 1)..] });

    static string Full(string name) => "System.Collections." + (name.Contains('.', StringComparison.Ordinal) ? name : "Generic." + name);
}
