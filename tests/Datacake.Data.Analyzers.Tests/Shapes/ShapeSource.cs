using System.Text;

namespace Datacake.Data.Analyzers.Tests.Shapes;

/// <summary>Writes the classes of a shape.</summary>
static class ShapeSource
{
    public const string Usings = """
        using System;
        using System.Collections.Generic;
        using System.ComponentModel.DataAnnotations;
        using Datacake.Data;
        using Datacake.EventualConsistency;
        using Datacake.Node;

        """;

    /// <summary>
    /// Returns the entity class and its helpers: <c>Of</c> creates an entity, and <c>Become</c> gives an entity another value, if that is
    /// possible.
    /// </summary>
    public static string Entity(Shape shape)
    {
        string type = shape.Kind.Type, collection = Collection(shape);
        string thing = shape.Position switch
        {
            Position.Property => Class("class Thing", shape, Members),
            Position.Index => Class("class Thing", shape, Members, "[Index] "),
            Position.Counter => Class("class Thing", shape, Members, "[Counter] "),
            Position.Key => Class("class Thing", shape, "public string Other { get; set; } = \"\";", name: "Id"),
            Position.Inherited => Class("class Root", shape, Members, make: "Thing")
                + $"public class Thing : Root {{ {(shape.Accessor == Accessor.GetOnly ? $"public Thing() {{ }} internal Thing(bool made, {type} x) : base(made, x) {{ }}" : "")} }}",
            Position.Derived => $"[Derived(typeof(Sub))] public class Thing {{ {Members} }} {Class("class Sub : Thing", shape, "", make: "Sub")}",
            Position.Owned => Owner("Whole", "value") + Class("class Whole", shape, ""),
            Position.GenericOwned => Owner($"Whole<{type}>", "value") + Class("class Whole<T>", shape, "", type: "T", constraint: ""),
            Position.ObjectInList => Owner("List<Whole>", "[value]", "Whole") + Class("class Whole", shape, ""),
            _ => $"public class Thing {{ {Members} public {collection} X {{ get; set; }} = new(); public static Thing Of(long id, {type} x) => new() {{ Id = id, X = {Filled(shape)} }}; "
                + $"public bool Become({type} x) {{ X = {Filled(shape)}; return true; }} }}",
        };
        return $"{Usings}namespace {shape.Namespace}\n{{\n{shape.Kind.Declarations}\n{thing}\n}}\n";

        string Owner(string owned, string value, string? item = null) =>
            $"public class Thing {{ {Members} public {owned} X {{ get; set; }} = null!; public static Thing Of(long id, {type} x) {{ var value = {item ?? owned}.Of(id, x); return new() {{ Id = id, X = {value} }}; }} "
            + $"public bool Become({type} x) {{ var value = {item ?? owned}.Of(0, x); X = {value}; return true; }} }} ";
    }

    public static string Context(Shape shape) => $$"""
        {{Usings}}namespace {{shape.Namespace}}
        {
            public sealed partial class Ctx(DatacakeNode node) : DatacakeContext(node)
            {
                [Keyspace("k{{shape.Number}}")] public partial Keyspace<Thing> Things { get; }
            }
        }
        """;

    /// <summary>Returns the class that runs the shape.</summary>
    public static string Case(Shape shape)
    {
        var values = ValuesOf(shape);
        string made = shape.Position == Position.Derived ? "Sub" : "Thing", cast = shape.Position == Position.Derived ? "((Sub)thing)" : "thing";
        var source = new StringBuilder($$"""
            {{Usings}}namespace {{shape.Namespace}}
            {
                public sealed class Case : Datacake.Data.Analyzers.Tests.Shapes.ShapeCase<Ctx, Thing>
                {
                    public override int Count => {{values.Count}};
                    public override bool IsKey => {{(shape.Position == Position.Key ? "true" : "false")}};
                    protected override Ctx Open(DatacakeNode node) => new(node) { DefaultConsistency = Consistency.None };
                    protected override Keyspace<Thing> Things(Ctx context) => context.Things;
                    protected override object[] KeyOf(Thing thing) => [thing.Id];
                    static {{shape.Kind.Type}} Value(int i) => i switch
                    {

            """);
        for (int i = 0; i < values.Count; i++)
            source.Append(System.Globalization.CultureInfo.InvariantCulture, $"            {(i == values.Count - 1 ? "_" : $"{i}")} => {values[i]},\n");
        source.Append("        };\n");
        source.Append(System.Globalization.CultureInfo.InvariantCulture, $"        protected override Thing Make(long id, int i) => {made}.Of(id, Value(i));\n");
        source.Append(System.Globalization.CultureInfo.InvariantCulture, $"        protected override bool Become(Thing thing, int i) => {cast}.Become(Value(i));\n");
        source.Append("        protected override void SetOther(Thing thing, string value) => thing.Other = value;\n");
        if (Condition(shape) is { } condition)
            source.Append(System.Globalization.CultureInfo.InvariantCulture, $"        protected override Query<Thing> Where(Keyspace<Thing> things, int i) {{ var x = Value(i); return things.Where(thing => {condition}); }}\n");
        if (shape.Kind.Type is "float?" or "double?")
            source.Append("        protected override bool IsIndexed => false;\n");
        return source.Append("    }\n}\n").ToString();
    }

    public static IReadOnlyList<string> ValuesOf(Shape shape)
    {
        var kind = shape.Kind;
        return shape.Position switch
        {
            // 0 is an unset key.
            Position.Key => [.. (kind.KeyValues ?? kind.Values).Where(value => value is not ("null" or "0"))],
            Position.SetElement or Position.DictionaryKey => [.. (kind.KeyValues ?? kind.Values).Where(value => value != "null")],
            _ => kind.Values,
        };
    }

    /// <summary>Returns a condition that an index or the key can answer; null if there is none.</summary>
    static string? Condition(Shape shape)
    {
        string property = shape.Position == Position.Key ? "Id" : "X";
        bool isSet = shape.Kind.Name.EndsWith("Set", StringComparison.Ordinal);
        return shape.Position is not (Position.Key or Position.Index) || isSet || shape.Kind.Type.StartsWith("byte[]", StringComparison.Ordinal) ? null
            : shape.Kind.Type is "float" or "double" or "float?" or "double?" ? $"thing.{property}.Equals(x)"
            : $"thing.{property} == x";
    }

    const string Members = "public long Id { get; set; } public string Other { get; set; } = \"\";";

    static string Collection(Shape shape) => shape.Position switch
    {
        Position.Element => $"List<{shape.Kind.Type}>",
        Position.SetElement => $"HashSet<{shape.Kind.Type}>",
        Position.DictionaryKey => $"Dictionary<{shape.Kind.Type}, int>",
        _ => $"Dictionary<string, {shape.Kind.Type}>",
    };

    static string Filled(Shape shape) => shape.Position switch
    {
        Position.Element or Position.SetElement => "[x]",
        Position.DictionaryKey => "new() { [x] = 7 }",
        _ => "new() { [\"a\"] = x }",
    };

    /// <summary>Returns a class with the property.</summary>
    static string Class(
        string declaration, Shape shape, string others, string attribute = "", string name = "X", string? type = null, string constraint = "", string? make = null)
    {
        type ??= shape.Kind.Type;
        string own = declaration.Split(' ')[1], self = make ?? own, constructor = own.Split('<')[0];
        bool hasId = others.Contains("long Id", StringComparison.Ordinal) || declaration.EndsWith(": Thing", StringComparison.Ordinal);
        string id = hasId ? "Id = id, " : "";
        string of = $"public static {self} Of(long id, {type} x)";
        string property = $"{attribute}public {type} {name}";
        const string Default = " = default!;";
        if (shape.Accessor == Accessor.Constructor)
        {
            // The other members are properties in the record body.
            return $"public {declaration.Replace("class", "record", StringComparison.Ordinal)}({(attribute.Length > 0 ? "[property: " + attribute.Trim()[1..] + " " : "")}{type} {name}){constraint} "
                + $"{{ {others} {of} => new(x){(hasId ? " { Id = id }" : "")}; public bool Become({type} x) => false; }} ";
        }
        string body = shape.Accessor switch
        {
            Accessor.GetSet => $"{property} {{ get; set; }}{Default} {of} => new() {{ {id}{name} = x }}; public bool Become({type} x) {{ {name} = x; return true; }}",
            Accessor.Init => $"{property} {{ get; init; }}{Default} {of} => new() {{ {id}{name} = x }}; public bool Become({type} x) => false;",
            Accessor.PrivateSet => $"{property} {{ get; private set; }}{Default} {of} => new() {{ {id}{name} = x }}; public bool Become({type} x) {{ {name} = x; return true; }}",
            Accessor.Required => $"{property.Replace("public", "public required", StringComparison.Ordinal)} {{ get; set; }} {of} => new() {{ {id}{name} = x }}; public bool Become({type} x) {{ {name} = x; return true; }}",
            Accessor.FieldBacked => $"{type} _{name.ToLowerInvariant()}{Default} {property} => _{name.ToLowerInvariant()}; {of} => new() {{ {id}_{name.ToLowerInvariant()} = x }}; "
                + $"public bool Become({type} x) {{ _{name.ToLowerInvariant()} = x; return true; }}",
            _ => $"{property} {{ get; }}{Default} public {constructor}() {{ }} protected {constructor}(bool made, {type} x) => {name} = x; {of} => new(true, x){(hasId ? " { Id = id }" : "")}; "
                + $"public bool Become({type} x) => false;",
        };
        return $"public {declaration}{constraint} {{ {others} {body} }} ";
    }
}
