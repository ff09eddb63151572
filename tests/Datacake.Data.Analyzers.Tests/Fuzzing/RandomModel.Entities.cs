namespace Datacake.Data.Analyzers.Tests.Fuzzing;

// Entity classes and their keys.
sealed partial class RandomModel
{
    static readonly string[] ClassAttributes =
    [
        "[Index(\"Name\")]", "[Index(\"Id\")]", "[Index(\"Nowhere\", \"Name\")]", "[Index]", "[Index(\"Name\", IsDescending = new[] { true })]", "[DeleteWins]", "[Keyspace(\"same\")]", "[Keyspace(\"\")]", "[Derived(typeof(int))]",
        "[Derived(typeof(List<>))]", "[Derived(null!)]", "[Obsolete]", "[Table(\"t\")]",
    ];

    static readonly string[] ClassKeywords = ["@class", "@event", "@while", "@record"];

    static readonly string[] KeyTypes = ["int", "long", "Guid", "string", "DateTime", "Small", "byte[]", "decimal", "DateOnly"];

    void PlanEntity(int number)
    {
        string name = Chance(15) ? Pick(ClassKeywords[number - 1], "List" + number, "Task" + number) : $"Entity{number}";
        string plainName = name.TrimStart('@');
        string KeyType() => _isTame || Chance(85) ? Pick(Chance(60) ? KeyTypes[..4] : KeyTypes) : Pick("int?", "double", "char", "float", "string?");
        IReadOnlyList<(string Type, string Name)> key = _random.Next(10) switch
        {
            0 => [(KeyType(), $"{plainName}Id")],
            1 => [(KeyType(), "Code")],
            2 => [(KeyType(), "X"), (KeyType(), "Y")],
            3 when !_isTame => [(KeyType(), "X"), (KeyType(), "Y"), (KeyType(), "Id")],
            _ => [(KeyType(), "Id")],
        };
        bool isPlain = Chance(60);
        var entity = new PlannedEntity(name, Chance(15), key, Chance(25) ? $"{plainName}Sub" : null) { IsPlain = isPlain, IsAbstract = !isPlain && Chance(25) };
        bool isMarked = key[0].Name is "Code" or "X";
        // Calls in OnModelCreating can declare the key as well.
        bool isConfigured = isMarked && Chance(20);
        if (isConfigured)
            entity.Calls.Add($"HasKey(x => {(key.Count == 1 ? $"x.{key[0].Name}" : $"new {{ {string.Join(", ", key.Select(part => $"x.{part.Name}"))} }}")})");
        int order = key.Count;
        bool isOrdered = key.Count > 1 && !isConfigured && Chance(20);
        foreach (var (type, property) in key)
        {
            string attributes = (isMarked && !isConfigured) || Chance(10) ? "[Key] " : "";
            if (isOrdered)
                attributes += $"[Column(Order = {order--})] ";
            entity.KeyMembers.Add($"{attributes}public {type} {property} {{ get; {(isPlain ? Pick("set", "init") : Pick("set", "set", "init", "private set"))}; }} = default!;");
            entity.Names.Add(property);
        }
        if (isOrdered)
            entity = entity with { Key = [.. key.Reverse()] };
        // Properties with these names would become the key.
        if (_isTame)
            entity.Names.UnionWith(["Id", "ID", "id"]);
        _entities.Add(entity);
    }

    void WriteEntity(PlannedEntity entity)
    {
        string name = entity.Name;
        string attributes = string.Concat(Enumerable.Range(0, 2).Select(_ => !_isTame && Chance(15) ? Pick(ClassAttributes) : ""));
        bool isSaidInCode = entity.Derived is not null && Chance(20), hasOther = entity.OtherMembers.Count > 0;
        if (entity.Derived is { } derivedName && !isSaidInCode)
            attributes += $"[Derived(typeof({derivedName}){Pick("", ", \"sub\"", _isTame ? "" : ", \"\"", ", \"a\\\"b\"")}){(hasOther ? $", Derived(typeof({derivedName}2))" : "")}]";
        else if (isSaidInCode)
            entity.Calls.Insert(0, $"HasDiscriminator().HasValue<{entity.DerivedReference}>({Pick("", "\"sub\"", "discriminator: \"s\"")})");
        string kind = entity.IsPlain ? Pick("class", "class", "partial class", "class")
            : entity.IsAbstract && entity.Derived is not null ? "abstract class"
            : Pick("class", "record", "partial class", "sealed class", !_isTame && Chance(20) ? "struct" : "class");
        if (entity.Derived is not null)
            kind = kind.Replace("sealed ", "", StringComparison.Ordinal).Replace("struct", "class", StringComparison.Ordinal);
        if (entity.PositionalMembers.Count > 0)
            kind = "record";
        bool isRecord = kind.EndsWith("record", StringComparison.Ordinal), isStructure = kind.Contains("struct", StringComparison.Ordinal);
        bool hasBase = entity.Base is null && !isRecord && !isStructure && _bases.Count > 0 && Chance(40);
        string above = entity.Base is { } links && !isRecord && !isStructure ? $" : {links}" : hasBase ? $" : {Pick(_bases)}" : "";
        if (entity.IsPlain)
            above += above.Length == 0 ? " : ILabeled" : ", ILabeled";
        bool isPositional = isRecord && (Chance(60) || entity.PositionalMembers.Count > 0) && entity.Derived is null && entity.Key is [(_, "Id")];
        string positional = isPositional ? $"({entity.Key[0].Type} Id, {TypeOf()} Name{string.Concat(entity.PositionalMembers.Select(member => $", {member}"))})" : "";
        if (entity.IsNested)
            Line($"{_access} static {(Chance(50) ? "partial " : "")}class {name}Outer {{");
        Line($"{attributes}\n{_access} {kind} {name}{positional}{above}\n{{");
        if (positional.Length == 0 && (_isTame || Chance(90)))
        {
            foreach (string member in entity.KeyMembers)
                Line(hasBase ? member.Replace("public ", "public new ", StringComparison.Ordinal) : member);
        }
        if (entity.IsPlain)
            Line($"public bool Flag {{ get; set; }}\npublic string? Label {{ get; set; }}\npublic static IReadOnlyList<{name}> All {{ get; }} = [];");
        else if (isStructure)
            Line($"public {name}() {{ }}");
        else if (entity.Derived is null && !_isTame && Chance(12))
            Line($"{Pick("public", "private", "internal")} {name}(int id{Pick("", ", string name", ", int other = -1", ", DayOfWeek day = DayOfWeek.Friday", ", double d = double.NaN")}){(positional.Length > 0 ? $" : this(default!, default!{string.Concat(entity.PositionalMembers.Select(_ => ", default!"))})" : "")} {{ }}");
        if (!isRecord && !isStructure && entity.Derived is null && Chance(8))
            Line($"{Pick("", "[Obsolete(\"for the store\", true)] ")}{(entity.IsPlain ? "public" : Pick("private", "protected internal", "public", "internal"))} {name}() {{ }}");
        foreach (string member in entity.Members)
            Line(member);
        var taken = new HashSet<string>(entity.Names) { "Id", "All" };
        taken.UnionWith(positional.Split([' ', ',', '(', ')']));
        WriteProperties(name, isReadOnly: false, isStructure, isSealed: kind.Contains("sealed", StringComparison.Ordinal), generic: "", self: name, taken, canBeRequired: !entity.IsPlain);
        Line("}");
        if (entity.Derived is { } derived)
        {
            Line($"{_access} {(isRecord ? "record" : "class")} {derived} : {name}\n{{");
            foreach (string member in entity.DerivedMembers)
                Line(member);
            WriteProperties(derived, isReadOnly: false, isStructure: false, isSealed: false, generic: "", self: derived, _isTame ? taken : [.. entity.Names]);
            Line("}");
        }
        if (hasOther)
            Line($"{_access} {(isRecord ? "record" : "class")} {entity.Derived}2 : {name}\n{{\n{string.Join("\n", entity.OtherMembers)}\n}}");
        if (entity.IsNested)
            Line("}");
    }
}
