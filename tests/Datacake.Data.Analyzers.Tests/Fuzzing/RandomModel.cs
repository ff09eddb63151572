using System.Text;

namespace Datacake.Data.Analyzers.Tests.Fuzzing;

/// <summary>Writes a model at random: entity classes, what they own, and contexts, with shapes, names and attributes that nobody planned for. One seed is one model.</summary>
sealed class RandomModel
{
    static readonly string[] Names =
    [
        "Id", "Name", "@class", "@event", "@int", "@new", "@this", "@field", "@value", "@await", "@var", "@record", "entity", "cells", "key", "key0", "o1", "d0", "items0", "Instance", "Path0", "Codec0", "Write", "Read",
        "System", "Datacake", "Type", "Key", "Index", "Object", "String", "Count", "Item2", "ID", "id", "Größe", "_x", "__", "Δ", "Model", "Properties", "Thing", "Equals2", "Access0", "writer", "reader", "created", "rest",
    ];

    static readonly string[] Scalars =
    [
        "bool", "byte", "int", "long", "ulong", "char", "float", "double", "decimal", "string", "string?", "Guid", "DateTime", "DateTimeOffset", "DateOnly", "TimeOnly", "TimeSpan", "byte[]", "byte[]?", "DayOfWeek", "int?", "Guid?",
        "decimal?", "DayOfWeek?", "nint", "Half", "Uri", "object", "dynamic", "Version?", "Action", "Type",
    ];

    static readonly string[] Collections =
    [
        "List<{0}>", "List<{0}>?", "{0}[]", "IList<{0}>", "IReadOnlyList<{0}>", "IEnumerable<{0}>", "IReadOnlyCollection<{0}>?", "HashSet<{0}>", "ISet<{0}>", "IReadOnlySet<{0}>", "Dictionary<string, {0}>", "Dictionary<int, {0}>?",
        "IReadOnlyDictionary<DayOfWeek, {0}>", "SortedDictionary<long, {0}>", "Queue<{0}>", "Stack<{0}>", "System.Collections.ObjectModel.ObservableCollection<{0}>", "System.Collections.Immutable.ImmutableArray<{0}>",
        "System.Collections.Immutable.ImmutableHashSet<{0}>", "System.Collections.Immutable.ImmutableDictionary<string, {0}>", "Tuple<{0}, int>", "({0} A, int B)", "KeyValuePair<int, {0}>", "Lazy<{0}>", "{0}[,]",
    ];

    static readonly string[] Attributes =
    [
        "[Index]", "[Index(Name = \"i\")]", "[Index(AllDescending = true)]", "[Index(\"Id\", \"Name\")]", "[Counter]", "[Key]", "[Required]", "[MaxLength(5)]", "[StringLength(3)]", "[Ignore]", "[ConcurrencyCheck]", "[Timestamp]",
        "[FormerName(\"Old\")]", "[FormerName(\"\")]", "[FormerName(null!)]", "[System.ComponentModel.DataAnnotations.Schema.Column(\"c\", Order = 2)]", "[System.ComponentModel.DataAnnotations.Schema.NotMapped]", "[Obsolete(\"old\")]",
        "[Converter<TextConverter>]", "[Converter<Half>]", "[Converter<OpenConverter<int>>]", "[System.ComponentModel.DataAnnotations.Schema.DatabaseGenerated(System.ComponentModel.DataAnnotations.Schema.DatabaseGeneratedOption.Identity)]",
    ];

    static readonly string[] ClassAttributes =
    [
        "[Index(\"Name\")]", "[Index(\"Id\")]", "[Index(\"Nowhere\", \"Name\")]", "[Index]", "[Index(\"Name\", IsDescending = new[] { true })]", "[DeleteWins]", "[Keyspace(\"same\")]", "[Keyspace(\"\")]", "[Derived(typeof(int))]",
        "[Derived(typeof(List<>))]", "[Derived(null!)]", "[Obsolete]", "[System.ComponentModel.DataAnnotations.Schema.Table(\"t\")]",
    ];

    static readonly string[] Statements =
    [
        "model.Entity<{0}>();", "model.Entity<{0}>().HasKey(x => x.Id);", "model.Entity<{0}>().ToKeyspace(\"k\");", "model.Entity<{0}>().HasIndex(x => x.Id);", "model.Entity<{0}>().Property(x => x.Id).HasConversion(v => v.ToString()!, v => default!);",
        "model.Entity<{0}>(e => {{ e.DeleteWins(); e.Ignore(x => x.Id); }});", "if (model is null) return;", "model.Entity<{0}>().Property(x => x.Id).HasFormerName(\"Former\").IsRequired();", "var e = model.Entity<{0}>(); e.Property(x => x.Id).IsCounter();",
        "_ = nameof(model);", "base.OnModelCreating(model);",
    ];

    readonly Random _random;
    readonly StringBuilder _source = new();
    readonly List<string> _owned = [];          // types that properties can have
    readonly List<string> _bases = [];          // classes that entities can derive from
    readonly List<string> _entities = [];

    readonly bool _isTame;                      // uses what is supported: most of the others are refused
    readonly string _access;

    RandomModel(int seed)
    {
        _random = new Random(seed);
        _isTame = Chance(65);
        _access = Pick("public", "internal");
    }

    public static string Write(int seed)
    {
        var model = new RandomModel(seed);
        model.Write($"M{seed}");
        return model._source.ToString();
    }

    void Write(string space)
    {
        _source.Append("using System;\nusing System.Collections.Generic;\nusing System.ComponentModel.DataAnnotations;\nusing Datacake.Data;\nusing Datacake.Node;\n");
        if (Chance(10))
            _source.Append("#nullable disable\n#pragma warning disable\n");
        _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"namespace {space}{Pick("", "", ".Deep.er", ".@namespace")}\n{{\n");
        _source.Append("public enum Small : byte { A, B }\npublic class TextConverter() : ValueConverter<string, string>(v => v, v => v);\npublic class OpenConverter<T>() : ValueConverter<T, string>(v => \"\", v => default!);\n");
        _source.Append("public interface IHas { string Name { get; } }\n");
        for (int i = _random.Next(5); i > 0; i--)
            WriteOwned($"Own{i}");
        for (int i = _random.Next(3); i > 0; i--)
            WriteBase($"Base{i}");
        for (int i = 1 + _random.Next(3); i > 0; i--)
            WriteEntity(i);
        for (int i = 1 + _random.Next(3); i > 0; i--)
            WriteContext(i);
        _source.Append("}\n");
    }

    void WriteOwned(string name)
    {
        if (Chance(15))
            name = $"@{Pick("class", "struct", "object", "string")}" + (_owned.Exists(known => known.Contains('@', StringComparison.Ordinal)) ? "1" : "");
        string parameters = Chance(20) ? Pick("<T>", "<T,U>", "<T> where T : notnull", "<T> where T : class") : "";
        string open = parameters.Split(' ')[0];
        string kind = Pick("class", "class", "sealed class", "record", "record class", "struct", "readonly struct", "record struct", "readonly record struct", _isTame ? "class" : "abstract class");
        bool isNested = Chance(15);
        if (isNested)
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{_access} {Pick("static class", "class", "struct", "interface", "record")} {name}Outer{(Chance(30) ? "<X>" : "")} {{ ");
        string outer = isNested ? (_source.ToString().EndsWith("<X> { ", StringComparison.Ordinal) ? $"{name}Outer<int>." : $"{name}Outer.") : "";
        string access = isNested ? (_isTame ? _access : Pick(_access, "internal", "private", "protected internal")) : _access;
        string positional = kind.Contains("record", StringComparison.Ordinal) && Chance(70) ? $"({TypeOf()} {Name()}{(Chance(40) ? $", {TypeOf()} More = default!" : "")})" : "";
        _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{access} {kind} {name}{open}{positional}{parameters[open.Length..]}\n{{\n");
        WriteProperties(name, isReadOnly: kind.StartsWith("readonly", StringComparison.Ordinal), isStructure: kind.Contains("struct", StringComparison.Ordinal), isSealed: kind.Contains("sealed", StringComparison.Ordinal), generic: open, self: name + open, taken: positional);
        _source.Append("}\n");
        if (isNested)
            _source.Append("}\n");
        _owned.Add(outer + name + open switch
        {
            "" => "",
            "<T,U>" => Pick("<int, string>", "<string, List<int>>"),
            _ => Pick("<string>", "<List<int>>"),
        });
    }

    void WriteBase(string name)
    {
        string open = Chance(40) ? "<TKey>" : "";
        string above = _bases.Count > 0 && Chance(30) ? $" : {Pick([.. _bases])}" : Chance(20) ? " : IHas" : "";
        _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{_access} {Pick("abstract ", "", "partial ")}class {name}{open}{above}\n{{\n");
        if (above == " : IHas")
            _source.Append(Pick("string IHas.Name => \"\";\n", "public virtual string Name { get; set; } = \"\";\n", "public string Name { get; } = \"\";\n"));
        if (Chance(60) && above is "" or " : IHas")
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"public {(open.Length > 0 ? "TKey" : Pick("int", "long", "Guid", "string"))} Id {{ get; {Pick("set", "private set", "protected set", "init", "internal set")}; }} = default!;\n");
        else if (Chance(50))
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"public virtual {TypeOf()} Shared {{ get; set; }} = default!;\n");
        _source.Append("}\n");
        _bases.Add(name + (open.Length > 0 ? Pick("<int>", "<Guid>", "<string>", "<DateTime>") : ""));
    }

    void WriteEntity(int number)
    {
        string name = Chance(15) ? Pick("@class", "@event", "List", "Task") + number : $"Entity{number}";
        string attributes = string.Concat(Enumerable.Range(0, 2).Select(_ => !_isTame && Chance(15) ? Pick(ClassAttributes) : ""));
        bool hasDerived = Chance(25);
        string derived = $"{name.TrimStart('@')}Sub";
        if (hasDerived)
            attributes += $"[Derived(typeof({derived}){Pick("", ", \"sub\"", _isTame ? "" : ", \"\"", ", \"a\\\"b\"")})]";
        string kind = Pick("class", "class", "class", "record", "partial class", hasDerived ? "abstract class" : "class", "sealed class", !_isTame && Chance(20) ? "struct" : "class");
        if (hasDerived)
            kind = kind.Replace("sealed ", "", StringComparison.Ordinal).Replace("struct", "class", StringComparison.Ordinal);
        bool isRecord = kind.EndsWith("record", StringComparison.Ordinal);
        string above = !isRecord && !kind.Contains("struct", StringComparison.Ordinal) && _bases.Count > 0 && Chance(50) ? $" : {Pick([.. _bases])}" : "";
        string positional = isRecord && Chance(60) && above.Length == 0 && !hasDerived ? $"({Pick("int", "long", "string", "Guid")} Id, {TypeOf()} Name)" : "";
        bool isNested = Chance(15);
        if (isNested)
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{_access} static {(Chance(50) ? "partial " : "")}class {name}Outer {{ ");
        _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{attributes}\n{_access} {kind} {name}{positional}{above}\n{{\n");
        if (positional.Length == 0 && (_isTame || Chance(85)))
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{(Chance(10) ? "[Key] " : "")}public {(above.Length > 0 ? "new " : "")}{Pick("int", "long", "Guid", "string", "DateTime", "Small", "byte[]", "decimal", _isTame ? "int" : "int?", _isTame ? "char" : "double")} Id {{ get; {Pick("set", "set", "init", "private set")}; }} = default!;\n");
        if (!hasDerived && !kind.Contains("struct", StringComparison.Ordinal) && !_isTame && Chance(12))
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{Pick("public", "private", "internal")} {name}(int id{Pick("", ", string name", ", int other = -1", ", DayOfWeek day = DayOfWeek.Friday", ", double d = double.NaN")}){(positional.Length > 0 ? " : this(default!, default!)" : "")} {{ }}\n");
        WriteProperties(name, isReadOnly: false, isStructure: kind.Contains("struct", StringComparison.Ordinal), isSealed: kind.Contains("sealed", StringComparison.Ordinal), generic: "", self: name, taken: positional + " Id");
        _source.Append("}\n");
        if (hasDerived)
        {
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{_access} {(isRecord ? "record" : "class")} {derived} : {name}\n{{\n");
            WriteProperties(derived, isReadOnly: false, isStructure: false, isSealed: false, generic: "", self: derived, taken: " Id");
            _source.Append("}\n");
        }
        if (isNested)
            _source.Append("}\n");
        _entities.Add(isNested ? $"{name}Outer.{name}" : name);
    }

    void WriteProperties(string owner, bool isReadOnly, bool isStructure, bool isSealed, string generic, string self, string taken)
    {
        var names = new HashSet<string>(taken.Split([' ', ',', '(', ')'])) { owner, owner.TrimStart('@') };
        for (int i = _random.Next(6); i > 0; i--)
        {
            string name = Name();
            if (!names.Add(name) || !names.Add("f" + name.TrimStart('@')))
                continue;
            string type = generic.Length > 0 && Chance(50) ? Pick("T", "T?", "List<T>", "Dictionary<string, T>") : !_isTame && Chance(3) ? (isStructure ? "int" : self) : TypeOf();
            string attribute = Chance(20) ? (_isTame ? Pick("[Required] ", "[MaxLength(5)] ", "[Ignore] ", "[Obsolete] ", "[System.ComponentModel.DataAnnotations.Schema.Column(Order = 2)] ") : Pick(Attributes) + " ") : "";
            string value = isStructure ? "" : " = default!;";
            string getter = isReadOnly ? "init" : Pick("set", "set", "init", "private set", "internal set");
            string field = "f" + name.TrimStart('@');
            string property = _random.Next(isReadOnly ? 4 : 16) switch
            {
                0 => $"public {type} {name} {{ get; init; }}",
                1 => $"public {type} {name} => default!;",
                2 => $"public static {type} {name} {{ get; }} = default!;",
                3 => $"public {type} {name} {{ get; {(isReadOnly ? "init" : getter)}; }}",
                4 when !isStructure => $"public {type} {name} {{ get; }} = default!;",
                5 => $"public required {type} {name} {{ get; set; }}",
                6 when !isStructure => $"readonly {type} {field} = default!; public {type} {name} => {field};",
                7 when !isStructure => $"{type} {field} = default!; public {type} {name} {{ get {{ return this.{field}; }} }}",
                8 when !isStructure && !isSealed => $"public virtual {type} {name} {{ get; set; }} = default!;",
                9 => $"internal {type} {name} {{ get; set; }}",
                10 => $"public {type} {name} {{ private get; set; }}",
                11 when !isStructure => $"{type} {field} = default!; public ref {type} {name} => ref {field};",
                12 => $"public {type} {name} {{ get => field; set => field = value; }}",
                13 => $"public int this[{type} index] => 0;",
                _ => $"public {type} {name} {{ get; {getter}; }}{value}",
            };
            if (property.Contains("this[", StringComparison.Ordinal) && !names.Add("this"))
                continue;
            _source.Append(attribute).Append(property).Append('\n');
        }
    }

    void WriteContext(int number)
    {
        bool isNested = Chance(15), isGeneric = Chance(10);
        if (isNested)
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"public {Pick("static partial class", "partial class", "partial struct", "partial record", "partial interface")} Holder{number}{(Chance(30) ? "<T>" : "")} {{ ");
        string name = Chance(10) ? $"@partial{number}" : $"Context{number}";
        _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{Pick("internal", "internal sealed", "internal abstract")} partial class {name}{(isGeneric ? "<TContext>" : "")}(DatacakeNode node) : DatacakeContext(node)\n{{\n");
        var names = new HashSet<string>();
        foreach (string entity in _entities.Where(_ => Chance(85)))
        {
            string property = Chance(15) ? Pick("@class", "@event", "@default") : $"Set{names.Count}";
            if (names.Add(property))
                _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"{(!_isTame && Chance(8) ? $"[Keyspace({Pick("\"same\"", "\"\"", "null!")})] " : "")}internal partial Keyspace<{entity}> {property} {{ get; }}\n");
        }
        if (Chance(_isTame ? 5 : 25))
            _source.Append(System.Globalization.CultureInfo.InvariantCulture, $"protected override void OnModelCreating(ModelBuilder model) {{ {string.Format(System.Globalization.CultureInfo.InvariantCulture, Pick(Statements), Pick([.. _entities]))} }}\n");
        _source.Append("}\n");
        if (isNested)
            _source.Append("}\n");
    }

    string TypeOf()
    {
        string type = _owned.Count > 0 && Chance(30) ? Pick([.. _owned]) + (Chance(20) ? "?" : "") : Pick(_isTame ? Scalars[..24] : Scalars);
        for (int depth = 0; depth < (_isTame ? 1 : 2) && Chance(30); depth++)
            type = string.Format(System.Globalization.CultureInfo.InvariantCulture, Pick(_isTame ? Collections[..7] : Collections), type);
        return type;
    }

    string Name() => Pick(Names);

    bool Chance(int percent) => _random.Next(100) < percent;

    string Pick(params string[] options) => options[_random.Next(options.Length)];
}
