namespace Datacake.Data.Analyzers.Tests.Fuzzing;

// Classes that each configure one entity class, in all places where a class can be declared.
sealed partial class RandomModel
{
    /// <param name="Before">The source before the class.</param>
    /// <param name="After">The source after the class.</param>
    /// <param name="Name">The prefix of the class name as seen from the namespace of the model.</param>
    /// <param name="Conditions">Conditions whose names are in scope in the class, but possibly not in the context.</param>
    sealed record ConfigurationPlace(string Before, string After, string Name, string[] Conditions);

    static readonly ConfigurationPlace[] Places =
    [
        new("", "", "", ["x.Label == Words.Any", "Texts.Far.Number > 0"]),
        new(
            "namespace Configurations{0}\n{{\nusing static System.Math;\nusing static {1}.Texts.Far;\nusing Alias = {1}.Texts.Words;\nusing Texts;\nstatic class Sibling {{ internal const string Value = \"\"; internal static string Loud(this string text) => text; }}\n",
            "\n}", "Configurations{0}.",
            ["x.Label == Alias.Any", "Abs(-1) > 0", "x.Label == Sibling.Value", "Number > 0", "x.Label == Box<string>.Value", "x.Label == Texts.Words.Only", "x.Label!.Loud() == \"\"", "x.Label!.Whisper() == \"\"", "Far.Number > 0"]),
        new(
            "namespace Configurations{0}.Inner\n{{\nusing Texts;\nnamespace Near {{ static class Value {{ internal static int Number; }} }}\n", "\n}", "Configurations{0}.Inner.",
            ["x.Label!.Whisper() == \"\"", "x.Label == Words.Only", "Near.Value.Number > 0", "Inner.Near.Value.Number > 0", "x.Label == Texts.Words.Only", "Far.Number > 0"]),
        new("static class Near{0}\n{{\ninternal const string Shared = \"near\";\ninternal static class Near {{ public const string Value = \"\"; }}\n", "\n}", "Near{0}.", ["x.Label == Near.Value", "x.Label == Shared", "x.Label == Near{0}.Shared"]),
        new("partial class Near{0}<TNear>\n{{\ninternal static string Shared = \"\";\n", "\n}", "Near{0}<string>.", ["typeof(TNear) != null", "x.Label == Shared", "x.Label == Near{0}<TNear>.Shared", "default(TNear) == null"]),
        new("static class Near{0}\n{{\nconst string Secret = \"\";\nstatic class Hidden {{ internal const string Value = \"\"; }}\n", "\n}", "Near{0}.", ["x.Label == Hidden.Value", "x.Label == Secret", "x.Label == Near{0}.Secret"]),
    ];

    int _configurations;

    /// <summary>Moves some builder calls of an entity class to a configuration class.</summary>
    void WriteConfigurations(PlannedEntity entity)
    {
        if (entity.Calls.Count == 0 || Chance(60))
            return;
        var calls = entity.Calls.Where(_ => Chance(80)).ToList();
        entity.Calls.RemoveAll(calls.Contains);
        int place = _random.Next(_isTame ? 4 : 6);
        if (entity.IsPlain && Chance(40))
            calls.Add(Filter(entity, Pick([.. Places[place].Conditions, "x.Label == Configuration{0}.Own", "x.Label == Own"])));
        if (entity.IsPlain && Chance(20))
            calls.Add(Seeds(entity).Replace("Flag = true", $"Flag = true ? {Pick(Places[place].Conditions).Replace("x.Label", "\"\"", StringComparison.Ordinal).Replace("!.", ".", StringComparison.Ordinal)} : false", StringComparison.Ordinal));
        WriteConfiguration(entity, ++_configurations, calls, Places[place]);
    }

    void WriteConfiguration(PlannedEntity entity, int number, List<string> calls, ConfigurationPlace place)
    {
        string name = $"Configuration{number}", type = entity.Reference;
        calls = [.. calls.Select(call => call.Replace("{0}", $"{number}", StringComparison.Ordinal))];
        string builder = Pick("builder", "builder", "model", "entity", "@class", "x");
        // A lambda parameter cannot have the same name as the builder.
        if (calls.Exists(call => call.Contains($"{builder} =>", StringComparison.Ordinal) || call.Contains($"{builder})", StringComparison.Ordinal)))
            builder = "ofEntity";
        string body = calls.Count == 1 && Chance(30)
            ? $" => {builder}.{calls[0]};"
            : $"\n{{\n{string.Concat(calls.Select(call => $"    {Statement(builder, call)}\n"))}}}";
        string members = $"{Pick("public", "internal", _isTame ? "internal" : "private")} const string Own = \"own\";\n{(_isTame ? "" : "const string Secret = \"\";")}";
        string kind = Pick("class", "class", "sealed class", "record", _isTame ? "class" : "struct");
        string interfaces = $"IEntityTypeConfiguration<{type}>";
        string method = Chance(30) && kind != "struct"
            ? $"void IEntityTypeConfiguration<{type}>.Configure(EntityTypeBuilder<{type}> {builder}){body}"
            : $"public {Pick("", "virtual ", "")}void Configure(EntityTypeBuilder<{type}> {builder}){body}";
        if (kind.Contains("sealed", StringComparison.Ordinal) || kind == "struct")
            method = method.Replace("virtual ", "", StringComparison.Ordinal);
        string given = Pick("", "", "(string given)");
        var other = Pick(_entities);
        string declaration = _random.Next(_isTame ? 6 : 10) switch
        {
            // Apply the calls in the method of a generic class.
            6 when entity.IsPlain => $"abstract class {name}Base<T> : IEntityTypeConfiguration<T> where T : class, ILabeled\n{{\npublic virtual void Configure(EntityTypeBuilder<T> builder) {{ {BaseCalls()} }}\n}}\n"
                + $"class {name}{given} : {name}Base<{type}>\n{{\n{members}{Pick("", $"public override void Configure(EntityTypeBuilder<{type}> {builder}){body}", body.StartsWith('\n') ? $"public override void Configure(EntityTypeBuilder<{type}> {builder})\n{{\nbase.Configure({builder});{body[2..]}" : "")}\n}}",
            7 => $"{kind} {name}<T>{given} : {interfaces}\n{{\n{members}\n{method}\n}}",
            8 when other != entity => $"{kind} {name}{given} : {interfaces}, IEntityTypeConfiguration<{other.Reference}>\n{{\n{members}\n{method}\npublic void Configure(EntityTypeBuilder<{other.Reference}> other) {{ {Statement("other", "HasData()")} }}\n}}",
            9 => $"static class {name}Holder<T>\n{{\ninternal {kind} {name}{given} : {interfaces}\n{{\n{members}\n{method}\n}}\n}}",
            _ => $"{kind} {name}{given} : {interfaces}\n{{\n{members}\n{method}\n}}",
        };
        string created = $"{name}{(declaration.Contains($"{name}<T>", StringComparison.Ordinal) ? "<int>" : "")}({(given.Length > 0 ? "\"\"" : "")})";
        if (declaration.Contains("Holder<T>", StringComparison.Ordinal))
            created = $"{name}Holder<int>.{created}";
        Line(Format(place.Before, number, _space) + (_isTame ? "internal " : Pick("internal ", "internal ", "public ", place.Name.Length == 0 && !declaration.Contains("Base<T>", StringComparison.Ordinal) ? "file " : "")) + declaration + place.After);
        entity.Configurations.Add($"new {Format(place.Name, number)}{created}");
    }

    /// <summary>Returns the builder calls of a generic base class of configurations.</summary>
    string BaseCalls() => string.Concat(Enumerable.Range(0, 1 + _random.Next(3)).Select(_ => "builder." + Pick(
        $"HasQueryFilter(x => x.Label != \"{Mark}{++_marks}\" && typeof(T) != null)", "HasQueryFilter(\"base\", x => !x.Flag)", "HasQueryFilter(x => Words.IsGood<T>(x) && default(T) != x)", "HasIndex(x => x.Label)", "Property(x => x.Label).HasMaxLength(7)",
        "Property(x => x.Flag).HasConversion(v => v ? typeof(T).Name : \"\", v => v != \"\")", "HasQueryFilter(x => new List<T>().Count == 0 || x.Equals(x))", "HasQueryFilter(x => ((ILabeled)x).Flag || Texts.Far.Box<T>.Value == x)", "Ignore(x => x.Flag)", "HasOne<T>().WithMany()",
        "HasData(Array.Empty<T>())", "HasData(new List<T[]> { new T[0] }.First())", "DeleteWins()") + "; "));

    /// <summary>Writes a call as a statement, in one of several ways.</summary>
    string Statement(string builder, string call) => (_isTame ? _random.Next(8) : call.Contains("== local", StringComparison.Ordinal) ? 17 : call.Contains("fixedLocal", StringComparison.Ordinal) ? 16 : call.Contains("Local()", StringComparison.Ordinal) ? 20 : _random.Next(30)) switch
    {
        0 => $"({builder}).{call};",
        1 => $"var of{_marks += 1} = {builder}; of{_marks}.{call};",
        2 => $"{builder}\n        .{call};",
        8 => $"_ = {builder}.{call};",
        9 => $"{builder}!.{call};",
        10 => $"if (DateTime.UtcNow.Ticks > 0) {{ {builder}.{call}; }}",
        11 => $"{{ {builder}.{call}; }}",
        12 => $"void Described{_marks += 1}() => {builder}.{call}; Described{_marks}();",
        13 => $"foreach (int number in new[] {{ 1 }}) {{ {builder}.{call}; }}",
        14 => $"{builder}?.{call};",
        15 => $"Action described{_marks += 1} = () => {builder}.{call}; described{_marks}();",
        16 => $"const string fixedLocal = \"\"; {builder}.{call};",
        17 => $"string local = \"\"; {builder}.{call};",
        18 => $"const string name{_marks += 1} = \"\"; ; {builder}.{call};",
        19 => $"var of{_marks += 1} = {builder}; of{_marks} = {builder}; of{_marks}.{call};",
        20 => $"string Local() => \"\"; {builder}.{call};",
        21 => $"\n#pragma warning disable\n        {builder}.{call};",
        22 => $"checked {{ {builder}.{call}; }}",
        23 => $"try {{ {builder}.{call}; }} finally {{ }}",
        24 => $"return;",
        _ => $"{builder}.{call};",
    };
}
