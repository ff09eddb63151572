namespace Datacake.Data.Analyzers.Tests.Fuzzing;

// The types of properties, and the base classes of entities.
sealed partial class RandomModel
{
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
        "[FormerName(\"Old\")]", "[FormerName(\"\")]", "[FormerName(null!)]", "[Column(\"c\", Order = 2)]", "[NotMapped]", "[Obsolete(\"old\")]", "[ForeignKey(\"Id\")]", "[ForeignKey(null!)]", "[InverseProperty(\"Name\")]", "[Obsolete(\"gone\", true)]", "[System.Diagnostics.CodeAnalysis.Experimental(\"E1\")]",
        "[Converter<TextConverter>]", "[Converter<Half>]", "[Converter<OpenConverter<int>>]", "[DatabaseGenerated(DatabaseGeneratedOption.Identity)]",
    ];

    void WriteOwned(string name)
    {
        if (Chance(15))
            name = $"@{Pick("class", "struct", "object", "string")}" + (_owned.Exists(known => known.Contains('@', StringComparison.Ordinal)) ? "1" : "");
        string parameters = Chance(20) ? Pick("<T>", "<T,U>", "<T> where T : notnull", "<T> where T : class") : "";
        string open = parameters.Split(' ')[0];
        string kind = Pick("class", "class", "sealed class", "record", "record class", "struct", "readonly struct", "record struct", "readonly record struct", _isTame ? "class" : "abstract class");
        bool isNested = Chance(15);
        string outer = isNested && Chance(30) ? "<X>" : "";
        if (isNested)
            Line($"{_access} {Pick("static class", "class", "struct", "interface", "record")} {name}Outer{outer} {{");
        string access = isNested && !_isTame ? Pick(_access, "internal", "private", "protected internal") : _access;
        string positional = kind.Contains("record", StringComparison.Ordinal) && Chance(70) ? $"({TypeOf()} {Name()}{(Chance(40) ? $", {TypeOf()} More = default!" : "")})" : "";
        Line($"{access} {kind} {name}{open}{positional}{parameters[open.Length..]}\n{{");
        WriteProperties(name, isReadOnly: kind.StartsWith("readonly", StringComparison.Ordinal), isStructure: kind.Contains("struct", StringComparison.Ordinal), isSealed: kind.Contains("sealed", StringComparison.Ordinal), generic: open, self: name + open, taken: [.. positional.Split([' ', ',', '(', ')'])]);
        // A class without any property could not be stored.
        if (_isTame && !kind.Contains("struct", StringComparison.Ordinal))
            Line($"public int Number {{ get; {(kind.StartsWith("readonly", StringComparison.Ordinal) ? "init" : "set")}; }}");
        Line(isNested ? "}\n}" : "}");
        _owned.Add((isNested ? $"{name}Outer{outer.Replace('X', 'i').Replace("<i>", "<int>", StringComparison.Ordinal)}." : "") + name + open switch
        {
            "" => "",
            "<T,U>" => Pick("<int, string>", "<string, List<int>>"),
            _ => Pick("<string>", "<List<int>>"),
        });
    }

    void WriteBase(string name)
    {
        string open = Chance(40) ? "<TKey>" : "";
        string above = _bases.Count > 0 && Chance(30) ? $" : {Pick(_bases)}" : Chance(20) ? " : IHas" : "";
        Line($"{_access} {Pick("abstract ", "", "partial ")}class {name}{open}{above}\n{{");
        if (above == " : IHas")
            Line(Pick("string IHas.Name => \"\";", "public virtual string Name { get; set; } = \"\";", "public string Name { get; } = \"\";"));
        if (Chance(60) && above is "" or " : IHas")
            Line($"public {(open.Length > 0 ? "TKey" : Pick("int", "long", "Guid", "string"))} Id {{ get; {Pick("set", "private set", "protected set", "init", "internal set")}; }} = default!;");
        else if (Chance(50))
            Line($"public virtual {TypeOf()} Shared {{ get; set; }} = default!;");
        Line("}");
        _bases.Add(name + (open.Length > 0 ? Pick("<int>", "<Guid>", "<string>", "<DateTime>") : ""));
    }

    /// <param name="taken">The member names in use, to which the new names are added.</param>
    void WriteProperties(string owner, bool isReadOnly, bool isStructure, bool isSealed, string generic, string self, HashSet<string> taken, bool canBeRequired = true)
    {
        var names = taken;
        names.UnionWith([owner, owner.TrimStart('@')]);
        for (int i = _random.Next(6); i > 0; i--)
        {
            string name = Name();
            if (!names.Add(name) || !names.Add("f" + name.TrimStart('@')))
                continue;
            string type = generic.Length > 0 && Chance(50) ? Pick("T", "T?", "List<T>", "Dictionary<string, T>") : !_isTame && Chance(3) ? (isStructure ? "int" : self) : TypeOf();
            string attribute = Chance(20) ? (_isTame ? Pick("[Required] ", "[MaxLength(5)] ", "[Ignore] ", "[Obsolete] ", "[Column(Order = 2)] ") : Pick(Attributes) + " ") : "";
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
                5 when canBeRequired => $"public required {type} {name} {{ get; set; }}",
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
            Line(WithAttribute(attribute, property));
        }
    }

    string TypeOf()
    {
        string type = !_isTame && Chance(2) ? Pick(_entities).Reference : _owned.Count > 0 && Chance(30) ? Pick(_owned) + (Chance(20) ? "?" : "") : Pick(_isTame ? Scalars[..24] : Scalars);
        for (int depth = 0; depth < (_isTame ? 1 : 2) && Chance(30); depth++)
            type = Format(Pick(_isTame ? Collections[..7] : Collections), type);
        return type;
    }
}
