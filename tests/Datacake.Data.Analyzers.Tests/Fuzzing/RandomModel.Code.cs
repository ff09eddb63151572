namespace Datacake.Data.Analyzers.Tests.Fuzzing;

// The code of the model for entity classes: filters, seeds, properties, conventions.
sealed partial class RandomModel
{
    /// <summary>Conditions on <c>x</c> that have the same meaning everywhere.</summary>
    static readonly string[] Conditions =
    [
        "!x.Flag", "x.Flag == true", "x.Label != null && x.Label.Length > 3", "string.IsNullOrEmpty(x.Label)", "x.Label == nameof(x.Flag)", "(object)x != null", "x.Label == new string('a', 2)", "new[] { \"a\", \"b\" }.Contains(x.Label)",
        "x.Label == \"\"\"raw \"text\" {here}\"\"\"", "x.Label == @\"\\verbatim\"", "x.Label == $\"{1}a\"", "x.Label == \"\\u0041{}\"", "x.Label == default", "x.Label == typeof(int).Name", "x.Label == typeof(List<>).Name", "sizeof(int) > 1",
        "checked(1 + 1) > 0", "x.Flag /* the flag */ && // and\n    true", "x.Flag && (\n#if DEBUG\n    false\n#else\n    true\n#endif\n    )", "Small.A == Small.B", "x is ILabeled", "((ILabeled)x).Flag", "(x.Flag ? x.Label : null) == null",
        "new[] { 1, 2 }.Any(z => z > 1 && x.Flag)", "new { x.Flag, Other = x.Label }.Other == null", "new KeyValuePair<string, int>(\"\", 1).Value > 0", "default(Guid) == Guid.Empty", "x.Label!.ToUpperInvariant() == \"A\"",
        "Enum.IsDefined(typeof(Small), Small.A)", "DateTime.UtcNow > DateTime.UnixEpoch", "x.Label == (string?)null", "(from w in new[] { \"a\" } where w == x.Label select w).Any()", "Equals(x.Label, null)", "ReferenceEquals(x, null)",
    ];

    /// <summary>Conditions that use names of the model.</summary>
    static readonly string[] NamingConditions =
    [
        "x.Label == Words.Any", "x.Label == global::{0}.Words.Any", "Words.All.Contains(x.Label)", "Words.All.Any(w => w == x.Label)", "x.Label!.Shout(1) == \"A\"", "Words.Shout(\"\", 2) == x.Label", "x.Label == Words.Deeper.Text", "Words.IsGood(x)", "Words.IsGood<string?>(x.Label)",
        "x.Label == Texts.Words.Any", "x.Label == Texts.Words.Only", "Texts.Far.Number > 0", "Texts.Far.Box<string>.Value == x.Label", "{1}.All.Count > 0", "Math.Abs(-1) > 0", "typeof({1}) != null", "Words.All.Where(Words.IsGood).Any()", "x.Label == nameof(Words.Any)",
    ];

    /// <summary>Conditions that use members of the context.</summary>
    static readonly string[] ContextConditions =
    [
        "x.Label == Tenant", "x.Label == this.Tenant", "x.Label == tenant", "x.Label == _field", "x.Label == this._field", "Matches(x.Label)", "this.Matches(x.Label!)", "x.Label == Static", "x.Label == Constant", "x.Label == Inner.Value", "Generic<string>(x.Label!)",
        "x.Label == Settings.Name", "x.Label == Settings!.Name", "x.Label == Names[0]", "Names.Contains(x.Label)", "x.Label == Inherited", "GetHashCode() > 0", "ChangeTracker != null", "x.Label == Tenant + Tenant", "Names.Any(n => n == Tenant)",
        "Interceptors.Count == 0",
    ];

    /// <summary>Conditions that a filter does not support, or does not support everywhere.</summary>
    static readonly string[] WildConditions =
    [
        "x.Label == local", "x.Label == fixedLocal", "model != null", "x.Label == this.ToString()", "x.Label == Secret", "x.Label == Own", "Set0 != null", "nameof(model) != \"\"", "x.Label == OfFile.Text", "(from w in Words.All where w == local select w).Any()",
    ];

    static readonly string[] PropertyCalls =
    [
        "Property(x => x.Label).HasMaxLength(5)", "Property(x => x.Label).IsRequired(false)", "Property(x => x.Label).HasFormerName(\"Former\")", "Property(x => x.Flag).IsConcurrencyToken()", "Property(x => x.Label).HasConversion(v => v!.Trim(), v => v)",
        "HasIndex(x => x.Label)", "HasIndex(x => new {{ x.Label, x.Flag }}, \"two\").IsDescending(false, true)", "Ignore(x => x.Flag)", "DeleteWins()", "ToKeyspace(\"k{0}\")", "Property(x => x.Flag).HasConversion(v => v ? 1 : 0, v => v > 0)",
        "Property(x => x.Label).HasConversion(v => Words.Shout(v!, 1), v => v + Words.Any)", "Property(x => x.Label).HasConversion<TextConverter>()",
        "Property(x => x.Label).HasConversion((string? v) => v!.Length, (int v) => new string('a', v))", "Property(x => x.Label).HasConversion<string>(Words.Same!, Words.Same)", "Property(x => x.Flag).HasConversion(v => v ? Small.A : Small.B, static v => v is Small.A)",
        "Property(x => x.Label).HasConversion(v => Texts.Words.Whisper(v!).Shout(1), v => $\"{{v}}{{Words.Any}}\")",
    ];

    /// <summary>String expressions that cannot be in an expression tree. A mark replaces <c>{0}</c>.</summary>
    static readonly string[] SeedTexts =
    [
        "\"{0}\"", "\"{0}\" + Words.Any", "$\"{0} {{1 + 1:x}}\"", "new[] {{ \"{0}\" }}.First(w => w.Length > 0)", "Words.Shout(\"{0}\")", "((Func<string>)(() => {{ return \"{0}\"; }}))()", "\"\"\"\n    {0}\n      more\n    \"\"\"",
        "(Small.A switch {{ Small.A => \"{0}\", Small.B when Words.Any == \"\" => null, _ => Words.Any }})", "(Words.All is [string first, ..] ? first : \"{0}\")", "(Words.Any is string {{ Length: > 3 and < 9 }} some ? some : \"{0}\")", "string.Concat((string[])[.. Words.All, \"{0}\"])",
        "new Dictionary<string, string> {{ [\"a\"] = \"{0}\", [Words.Any] = \"\" }}[\"a\"]", "((\"{0}\", 1) is (string made, int number) ? made : \"\")", "((object)\"{0}\" as string)", "new Func<string, string>(static a => a + Words.Any)(\"{0}\")", "(Words.All?.FirstOrDefault()?.Shout(1) ?? \"{0}\")",
        "\"{0}\"[..^0]", "(new {{ Text = \"{0}\", Words.Any }}).Text", "(typeof(Texts.Far.Box<>).Name + \"{0}\")", "$\"{0}{{Words.Any,5}}{{(Small.A == Small.B ? 1 : 2)}}{{Small.A:x}}{{Texts.Far.Number:00}}\"", "$\"\"\"{0}{{Words.Any}}\"\"\"", "(Enum.GetName(Small.A) + \"{0}\")",
        "(from w in Words.All join v in Words.All on w equals v into g orderby w select w + \"{0}\").First()", "(((IHas?)null)?.Name ?? \"{0}\")", "((Func<Small, string>)(small => {{ string Local2(string b) => b + small; return Local2(\"{0}\"); }}))(default)",
        "((Func<string>)(() => {{ const string inner = \"{0}\"; foreach (var w in Words.All) {{ if (w is Words.Any) goto end; }} end: return inner; }}))()", "((Func<string>)(() => {{ try {{ return \"{0}\"; }} catch (Exception e) when (e.Message == Words.Any) {{ throw; }} }}))()",
        "(nameof(Words.Deeper) + \"{0}\")", "(nameof(List<int>.Count) + \"{0}\")", "(Words.Deeper.Text = \"{0}\")", "(new Texts.Far.Box<List<Small>>() is {{ }} ? \"{0}\" : null)", "((dynamic)\"{0}\").Trim()", "global::System.String.Join(\"\", \"{0}\")",
        "(Words.IsGood<(int A, Small? B)>((1, null)) ? \"{0}\" : default(string))", "new Texts.Far.Pair(\"{0}\") {{ Second = Words.Any }}.First", "(new Texts.Far.Pair(\"{0}\") with {{ Second = Words.Any }}).First", "(Small.A is Small.B or (Small)7 ? Words.Any : \"{0}\")",
    ];

    static readonly string[] WildCalls =
    [
        "HasKey(x => x.Id)", "HasIndex(x => x.Id)", "Property(x => x.Id).HasConversion(v => v.ToString()!, v => default!)", "Property(x => x.Id).IsCounter()", "Ignore(x => x.Id)", "HasKey(x => x.Flag)", "HasIndex(x => x.Label!.Length)", "HasQueryFilter(null!)",
        "HasQueryFilter(\"\", x => true)", "HasData()", "HasData(null!)", "HasKey(x => x)", "HasIndex(x => new {{ }})", "HasOne<object>().WithMany()", "HasMany<{1}>(null).WithOne(null)", "HasOne<string>().WithOne()", "Property<string>(x => x.Label)", "ToKeyspace(null!)",
        "HasDiscriminator()", "HasDiscriminator().HasValue<{1}>()", "HasDiscriminator().HasValue<{1}>(\"\")", "Property(x => x.Label).HasConversion(Words.IsGood, v => null)", "Property(x => x.Label).HasConversion<int>()", "HasOne(x => x.Label).WithMany()",
    ];

    static readonly string[] ConventionCalls =
    [
        "Properties<string>().HaveMaxLength(200)", "Properties<Enum>().HaveConversion<string>()", "Properties<Small>().HaveConversion<string>()", "IgnoreAny<Delegate>()", "IgnoreAny<Type>().IgnoreAny<Half>()", "Properties<string>().HaveConversion<TextConverter>()",
        "Properties<int>().HaveConversion<TextConverter>()", "Properties<object>()", "Properties<DayOfWeek>().HaveConversion<int>()", "IgnoreAny<object>()", "IgnoreAny<System.Collections.IEnumerable>()", "Properties<string>().HaveConversion<OpenConverter<string>>().HaveMaxLength(2)",
    ];

    int _marks;

    /// <summary>Plans random model code for an entity class, except for its relations.</summary>
    void PlanCalls(PlannedEntity entity)
    {
        if (!_isTame)
        {
            for (int i = _random.Next(3); i > 0; i--)
            {
                if (AnyRelation(entity) is { } relation && Chance(40))
                    entity.Calls.Add(relation);
            }
            if (Chance(15))
                entity.Calls.Add(Format(Pick(WildCalls), _entities.Count, entity.Reference));
        }
        if (!entity.IsPlain)
            return;
        if (Chance(25))
            entity.Calls.Add(Format(Pick(PropertyCalls), _marks++));
        if (Chance(35))
            entity.Calls.Add(Filter(entity, Condition(entity, ofContext: false)));
        if (Chance(35))
            entity.Calls.Add(Seeds(entity));
    }

    string Condition(PlannedEntity entity, bool ofContext)
    {
        string condition = !_isTame && Chance(35) ? Pick(WildConditions) : ofContext ? Pick(ContextConditions) : Chance(50) ? Pick(Conditions) : Format(Pick(NamingConditions), _space, entity.Reference);
        return Chance(30) ? $"{condition} || {Pick(Conditions)}" : condition;
    }

    string Filter(PlannedEntity entity, string condition)
    {
        string name = Pick("x", "x", "y", "@class", "context", _isTame ? "x" : "datacakeFilters");
        string body = $"({condition.Replace("x.", $"{name}.", StringComparison.Ordinal).Replace("(x", $"({name}", StringComparison.Ordinal).Replace(")x", $"){name}", StringComparison.Ordinal).Replace("x is", $"{name} is", StringComparison.Ordinal)}) && {name}.Label != \"{Mark}{++_marks}\"";
        string lambda = Pick($"{name} => {body}", $"({name}) => {body}", $"({entity.Reference} {name}) => {body}", $"{name} => ({body})");
        return _random.Next(5) switch
        {
            0 => $"HasQueryFilter(\"filter{_marks}\", {lambda})",
            1 => $"HasQueryFilter(filter: {lambda}, filterKey: \"filter\" + \"{_marks}\")",
            2 => $"HasQueryFilter(filter: {lambda})",
            3 when !_isTame => $"HasQueryFilter(({lambda}))",
            _ => $"HasQueryFilter({lambda})",
        };
    }

    string Seeds(PlannedEntity entity)
    {
        string key = string.Join(", ", entity.Key.Select(part => $"{part.Name} = {KeyValue(part.Type)}"));
        string text = Format(Pick(SeedTexts), $"{Mark}{++_marks}");
        if (!_isTame && Chance(20))
            text = $"\"{Mark}{_marks}\" + {Pick("local", "fixedLocal", "Local()", "Tenant", "Static", "Own", "Secret", "nameof(Own)", "this", "fixedLocal + Words.Any")}";
        string one = $"{{ {key}, Label = {text}{(Chance(30) ? ", Flag = true" : "")} }}";
        return Pick(
            $"HasData(new {entity.Reference} {one})", $"HasData(new {entity.Reference}() {one}, new() {one})", $"HasData(new {entity.Reference}[] {{ new() {one} }})", $"HasData([new() {one}, new {entity.Reference} {one}])",
            $"HasData(data: [new() {one}])", $"HasData({entity.Reference}.All.Where(a => a.Label != \"{Mark}{_marks}\"))", $"HasData(Enumerable.Range(1, 2).Select(i => new {entity.Reference} {one}))",
            $"HasData(from i in new[] {{ 1 }} let j = i + 1 select new {entity.Reference} {one})", $"HasData(new List<{entity.Reference}> {{ new() {one} }})", $"HasData(new {entity.Reference} {one}).HasData(new {entity.Reference} {one})",
            $"HasData(int.TryParse(\"1\", out int parsed) ? new {entity.Reference} {one} : new {entity.Reference} {one})");
    }

    string KeyValue(string type) => type.TrimEnd('?') switch
    {
        "int" => "1 + 1",
        "long" => "0x1L",
        "Guid" => Pick("new Guid(1, 2, 3, new byte[8])", "Guid.NewGuid()", "default"),
        "string" => Pick("\"a\\\"b\"", "Words.Any", "nameof(Words)"),
        "DateTime" => "DateTime.UnixEpoch",
        "Small" => Pick("Small.A", "(Small)1"),
        "byte[]" => Pick("[1, 2]", "new byte[] { 1 }", "\"abc\"u8.ToArray()"),
        "decimal" => "-1.5m",
        "char" => "'\\''",
        _ => "default",
    };
}
