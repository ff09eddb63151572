namespace Datacake.Data.Analyzers.Tests.Fuzzing;

// Contexts and the ways in which they configure entity classes.
sealed partial class RandomModel
{
    static readonly string[] HolderKeywords = ["@checked", "@for", "@file"], ContextKeywords = ["@partial", "@unsafe", "@short"];

    readonly List<(string Name, string Declared)> _contexts = [];
    readonly List<string> _methods = [];        // of the context that is being written

    void WriteContexts(int count)
    {
        for (int i = count; i > 0; i--)
        {
            string? space = Chance(10) ? Pick("Contexts", "Texts", "Other.Contexts") : null;
            if (space is not null)
                Line($"namespace {space}\n{{");
            WriteContext(i, space);
            if (space is not null)
                Line("}");
        }
    }

    void WriteContext(int number, string? space)
    {
        bool isNested = Chance(15), isGeneric = Chance(10);
        if (isNested)
            Line($"public {Pick("static partial class", "partial class", "partial struct", "partial record", "partial interface")} {Pick($"Holder{number}", HolderKeywords[number - 1])}{(Chance(30) ? "<T>" : "")} {{");
        string name = Chance(10) ? ContextKeywords[number - 1] : $"Context{number}", parameter = !isGeneric ? "" : Pick("<TContext>", "<@int>", "<TContext, @new>");
        string kind = Pick("internal", "internal sealed", "internal abstract");
        // A context can derive from another context and inherit its keyspaces.
        string above = !isNested && !_isTame && Chance(20) && _contexts.Count > 0 ? Pick(_contexts).Declared : "DatacakeContext(node)";
        string parameters = Chance(40) ? "(DatacakeNode node, string tenant)" : "(DatacakeNode node)";
        Line($"{kind} partial class {name}{parameter}{parameters} : {above}\n{{");
        if (!isNested && !isGeneric && kind != "internal sealed" && space is null)
            _contexts.Add((name, $"{name}(node{(parameters.Contains("tenant", StringComparison.Ordinal) ? ", \"\"" : "")})"));
        var names = new HashSet<string>();
        var entities = _entities.Where(_ => Chance(_isTame ? 99 : 85)).ToList();
        foreach (var entity in entities)
        {
            string property = Chance(15) ? Pick("@class", "@event", "@default", "Alias", "Sibling", _isTame ? "Near" : "Words") : $"Set{names.Count}";
            if (names.Add(property))
            {
                string modifiers = Pick("internal", "internal", "private", "protected internal", "private protected", _access, kind == "internal sealed" ? "internal" : "internal virtual", above.StartsWith("DatacakeContext", StringComparison.Ordinal) ? "internal unsafe" : "internal new");
                Line($"{(!_isTame && Chance(8) ? $"[Keyspace({Pick("\"same\"", "\"\"", "null!")})] " : "")}{modifiers} partial Keyspace<{entity.Reference}> {property} {{ get; }}");
            }
        }
        if (!_isTame && Chance(8))
            Line($"internal partial Keyspace<{Pick("object", "string", "int[]", "Action", "IHas", "dynamic", "List<int>", isGeneric ? parameter[1..^1].Split(',')[0] : "Small[]", "Bag<int>")}> Odd {{ get; }}");
        // The parts of a partial class can be in separate declarations.
        if (Chance(10))
            Line($"}}\npartial class {name}{parameter}\n{{");
        WriteModel(name, entities, parameters.Contains("tenant", StringComparison.Ordinal), above);
        Line(isNested ? "}\n}" : "}");
    }

    void WriteModel(string name, List<PlannedEntity> entities, bool hasTenant, string above)
    {
        var calls = new List<(PlannedEntity Entity, string Call)>();
        foreach (var entity in (_isTame ? entities : _entities).OrderBy(_ => _random.Next()))
        {
            calls.AddRange(entity.Calls.Where(_ => _isTame || Chance(90)).Select(call => (entity, call)));
            if (entity.IsPlain && Chance(25))
                calls.Add((entity, Filter(entity, ContextCondition(entity, hasTenant))));
        }
        if (calls.Exists(known => known.Call.Contains("HasQueryFilter", StringComparison.Ordinal)))
        {
            Line($$"""
                string Tenant { get; set; } = "";
                string _field = "";
                const string Secret = "";
                protected const string Own = "";
                bool Matches(string? text) => true;
                static string Static => "";
                const string Constant = "";
                static class Inner { public const string Value = ""; }
                bool Generic<TAny>(TAny value) => true;
                Of{{name.TrimStart('@')}} Settings { get; } = new();
                {{Pick("protected", "private protected", "public")}} string[] Names { get; } = [];
                sealed class Of{{name.TrimStart('@')}} { public string Name = ""; }
                """);
            Line(above.StartsWith("DatacakeContext", StringComparison.Ordinal) ? "internal string Inherited = \"\";" : "");
        }
        var statements = calls.Select(known => OnModel(known.Entity, known.Call)).ToList();
        foreach (string configuration in entities.SelectMany(entity => entity.Configurations))
            statements.Insert(_random.Next(statements.Count + 1), $"model.ApplyConfiguration{Pick("", "", _isTame ? "" : $"<{entities.Find(entity => entity.Configurations.Contains(configuration))!.Reference}>")}({(!_isTame && Chance(10) ? $"({configuration})" : configuration)});");
        if (entities.Exists(entity => entity.Configurations.Count > 0) && Chance(30))
        {
            statements.RemoveAll(statement => statement.Contains("ApplyConfiguration", StringComparison.Ordinal));
            statements.Add($"model.ApplyConfigurationsFromAssembly({Pick("typeof(Small).Assembly", $"typeof({name}).Assembly", "System.Reflection.Assembly.GetExecutingAssembly()", "GetType().Assembly", _isTame ? "this.GetType().Assembly" : "typeof(string).Assembly")});");
        }
        if (!_isTame && Chance(10))
            statements.Insert(_random.Next(statements.Count + 1), Pick("if (model is null) return;", "_ = nameof(model);", "var other = model; other.Entity<Small[]>();", "model.Entity<string>();", "model.Entity<object>(o => { });", "model.Entity<IHas>().Ignore(x => x.Name);", "await_();  void await_() { }", "model.Entity<int[]>();"));
        foreach (string method in _methods)
            Line(method);
        _methods.Clear();
        if (Chance(15))
            statements.Insert(0, "base.OnModelCreating(model);");
        if (statements is [var only] && Chance(30) && only.Count(letter => letter == ';') == 1 && !only.Contains('\n', StringComparison.Ordinal))
            Line($"protected override void OnModelCreating(ModelBuilder model) => {only}");
        else if (statements.Count > 0)
            Line($"protected override void OnModelCreating(ModelBuilder model)\n{{\n{string.Join("\n", statements.Select(statement => $"    {statement}"))}\n}}");
        if (Chance(15))
            Line($"protected override void ConfigureConventions(ModelConfigurationBuilder conventions)\n{{\n{string.Concat(Enumerable.Range(0, 1 + _random.Next(2)).Select(_ => $"    conventions.{Pick(_isTame ? ConventionCalls[..5] : ConventionCalls)};\n"))}}}");
    }

    string ContextCondition(PlannedEntity entity, bool hasTenant)
    {
        string condition = Condition(entity, ofContext: true);
        return hasTenant ? condition : condition.Replace("== tenant", "== Tenant", StringComparison.Ordinal);
    }

    /// <summary>Writes a builder call of an entity class as a statement of <c>OnModelCreating</c>.</summary>
    string OnModel(PlannedEntity entity, string call)
    {
        string type = entity.Reference;
        if (Chance(10))
        {
            int number = _marks += 1;
            _methods.Add(Pick(
                $"static void Describe{number}(EntityTypeBuilder<{type}> described) => described.{call};", $"{Pick("", "static ", "private protected ")}void Describe{number}(EntityTypeBuilder<{type}> described)\n{{\n{Statement("described", call)}\n}}",
                $"static EntityTypeBuilder<{type}> Describe{number}(EntityTypeBuilder<{type}> described) {{ described.{call}; return described; }}", entity.IsPlain
                    ? $"void Describe{number}<T>(EntityTypeBuilder<T> described) where T : class, ILabeled {{ described.HasQueryFilter(x => x.Label != \"{Mark}{number}\" || typeof(T) == null || x.Flag); }}"
                    : $"void Describe{number}<T>(EntityTypeBuilder<T> described) where T : class => described.DeleteWins();"));
            return _random.Next(3) switch
            {
                0 => $"{(_methods[^1].StartsWith("static", StringComparison.Ordinal) ? "" : "this.")}Describe{number}(model.Entity<{type}>());",
                1 => $"model.Entity<{type}>(described => Describe{number}(described));",
                _ => $"Describe{number}(model.Entity<{type}>());",
            };
        }
        return _random.Next(_isTame ? 6 : 10) switch
        {
            // A nested lambda cannot have a parameter with the name of an outer parameter.
            0 => $"model.Entity<{type}>(described => {{ {Statement("described", call)} }});",
            1 => $"model.Entity<{type}>(described => described.{call});",
            2 => $"var of{_marks += 1} = model.Entity<{type}>(); {Statement($"of{_marks}", call)}",
            6 => $"model.Entity<{type}>(delegate (EntityTypeBuilder<{type}> described) {{ {Statement("described", call)} }});",
            7 => $"((ModelBuilder)model).Entity<{type}>().{call};",
            8 => $"model.Entity<{type}>((EntityTypeBuilder<{type}> described) => {{ {Statement("described", call)} }});",
            9 => Statement("model", $"Entity<{type}>().{call}"),
            _ => $"model.Entity<{type}>().{call};",
        };
    }
}
