using System.Globalization;
using System.Text;

namespace Datacake.Data.Analyzers.Tests.Fuzzing;

/// <summary>
/// Writes the source of a random model: entity classes with owned types and relations, model code, and contexts. Their shapes, names and
/// attributes include combinations that nobody would think of. Each seed determines one model.
/// </summary>
sealed partial class RandomModel
{
    /// <summary>The prefix of strings in model code that must also appear in the generated code.</summary>
    public const string Mark = "mark:";

    /// <summary>The first line of a model that uses only supported features.</summary>
    public const string Tame = "// tame";

    static readonly string[] Names =
    [
        "Id", "Name", "@class", "@event", "@int", "@new", "@this", "@field", "@value", "@await", "@var", "@record", "entity", "cells", "key", "key0", "o1", "d0", "items0", "Instance", "Path0", "Codec0", "Write", "Read",
        "System", "Datacake", "Type", "Key", "Index", "Object", "String", "Count", "Item2", "ID", "id", "Größe", "_x", "__", "Δ", "Model", "Properties", "Thing", "Equals2", "Access0", "writer", "reader", "created", "rest",
    ];

    readonly Random _random;
    readonly StringBuilder _source = new();
    readonly List<string> _owned = [];          // owned types that properties can use
    readonly List<string> _bases = [];          // base classes that entities can use
    readonly List<PlannedEntity> _entities = [];

    readonly bool _isTame;                      // uses only supported features; most other models are refused
    readonly string _access;
    string _space = "";

    RandomModel(int seed)
    {
        _random = new Random(seed);
        _isTame = Chance(65);
        _access = Pick("public", "internal");
    }

    /// <summary>Returns the source of a model, and the source of its entity classes if they are in a separate assembly.</summary>
    public static (string? Domain, string Model) Write(int seed)
    {
        var model = new RandomModel(seed);
        string? domain = model.Write($"M{seed}");
        return (domain, model._source.ToString());
    }

    void WriteHeader()
    {
        Line(_isTame ? Tame : "// wild");
        Line("using System;\nusing System.Collections.Generic;\nusing System.ComponentModel.DataAnnotations;\nusing System.ComponentModel.DataAnnotations.Schema;\nusing System.Linq;\nusing Datacake.Data;\nusing Datacake.Node;");
        if (Chance(10))
            Line("#nullable disable\n#pragma warning disable");
        Line($"namespace {_space}\n{{");
    }

    string? Write(string space)
    {
        _space = $"{space}{Pick("", "", ".Deep.er", ".@namespace")}";
        WriteHeader();
        Line("public enum Small : byte { A, B }\npublic class TextConverter() : ValueConverter<string, string>(v => v, v => v);\npublic class OpenConverter<T>() : ValueConverter<T, string>(v => \"\", v => default!);");
        Line("public interface IHas { string Name { get; } }\npublic interface ILabeled { string? Label { get; } bool Flag { get; } }\npublic class Bag<T> : List<T>;");
        for (int i = 1 + _random.Next(4); i > 0; i--)
            PlanEntity(i);
        for (int i = _random.Next(_isTame ? 3 : 5); i > 0; i--)
            WriteOwned($"Own{i}");
        for (int i = _random.Next(3); i > 0; i--)
            WriteBase($"Base{i}");
        for (int i = _random.Next(5); i > 0; i--)
            PlanRelation(i);
        foreach (var entity in _entities)
            PlanCalls(entity);
        foreach (var entity in _entities)
            WriteEntity(entity);
        string? domain = null;
        if (_access == "public" && Chance(30))
        {
            Line("}");
            domain = _source.ToString();
            _source.Clear();
            WriteHeader();
        }
        WriteTexts();
        foreach (var entity in _entities)
            WriteConfigurations(entity);
        WriteContexts(1 + _random.Next(3));
        Line("}");
        return domain;
    }

    /// <summary>Writes classes other than entity classes that model code can use.</summary>
    void WriteTexts()
    {
        Line("""
            static class Words
            {
                public const string Any = "any";
                internal static IReadOnlyList<string> All { get; } = ["a", "b"];
                public static string Shout(this string text, int times = 1) => text;
                public static bool IsGood<T>(T value) => true;
                public static string Same(string text) => text;
                public static class Deeper { public static string Text = ""; }
            }
            file static class OfFile { public const string Text = ""; }
            namespace Texts
            {
                static class Words { public const string Any = "other", Only = ""; public static string Whisper(this string text) => text; }
                static class Far { internal static int Number => 1; internal sealed class Box<T> { public static T? Value; } internal record Pair(string First) { public string Second { get; init; } = ""; } }
            }
            """);
    }

    void Line(string text) => _source.Append(text).Append('\n');

    string Name() => Pick(Names);

    bool Chance(int percent) => _random.Next(100) < percent;

    string Pick(params string[] options) => options[_random.Next(options.Length)];

    T Pick<T>(IReadOnlyList<T> options) => options[_random.Next(options.Count)];

    /// <summary>Puts an attribute before a property, but not before a field that is declared in front of the property.</summary>
    static string WithAttribute(string attribute, string member)
    {
        int property = member.LastIndexOf("public ", StringComparison.Ordinal);
        return property <= 0 ? attribute + member : member.Insert(property, attribute);
    }

    static string Format(string text, params object[] arguments) => string.Format(CultureInfo.InvariantCulture, text, arguments);
}
