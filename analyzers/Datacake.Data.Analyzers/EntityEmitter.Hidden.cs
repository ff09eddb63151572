using System.Globalization;

namespace Datacake.Data.Analyzers;

/// <summary>
/// Writes the code that uses members of compiled classes that the compiler does not show, and that checks whether they exist.
/// </summary>
sealed partial class EntityEmitter
{
    HiddenUse HiddenUseOf(PropertySpec property)
    {
        if (!_hidden.TryGetValue(property.HiddenField!, out var use))
            _hidden.Add(property.HiddenField!, use = new HiddenUse(_hidden.Count, property));
        return use;
    }

    void EmitHiddenField(HiddenFieldSpec hidden, HiddenUse use)
    {
        var property = use.Property;
        var fields = hidden.Fields.Select(field => Access(field.Access, "Field", field.Name)).ToList();
        string probes = string.Join(", ", fields.Select(field => $"static o => {{ ref var field = ref {field}(({hidden.Owner})o); }}"));
        _source.Line($"static readonly int Field{use.Number} = FindField(typeof({OwnerTypeOf(property)}), {probes});");
        _source.Line();
        if (use.IsGot)
        {
            _source.Open($"static object? Get{use.Number}({hidden.Owner} owner) => Field{use.Number} switch");
            for (int i = 1; i < fields.Count; i++)
                _source.Line($"{i} => {fields[i]}(owner),");
            _source.Line($"_ => owner.{Identifier(property.Name)},");
            _source.Close("};");
            _source.Line();
        }
        if (!use.IsSet)
            return;
        _source.Open($"static void Set{use.Number}({hidden.Owner} owner, {property.Type} value)");
        _source.Open($"switch (Field{use.Number})");
        for (int i = 0; i < fields.Count; i++)
        {
            string field = $"{fields[i]}(owner)";
            _source.Line($"case {i}:");
            _source.Line(hidden.Fields[i].Made is { } made
                ? $"    if (value is null) {field} = null!; else {field} = {string.Format(CultureInfo.InvariantCulture, made, "value", field)};"
                : $"    {field} = value;");
            _source.Line("    break;");
        }
        _source.Line("default:");
        _source.Line($"    throw new global::System.MissingFieldException({Literal(hidden.Owner)}, {Literal(hidden.LookedFor)});");
        _source.Close();
        _source.Close();
        _source.Line();
    }

    /// <summary>Writes the check of members of compiled classes that the compiler does not show.</summary>
    void EmitCheckMembers()
    {
        var fields = All.Concat(_spec.Objects.SelectMany(item => item.Properties)).Concat(_spec.Navigations.Select(navigation => navigation.Property))
            .Where(property => property is { Setter: SetterKind.Field, Access.IsAssumed: true, IsOfStruct: false, HiddenField: not null } && !IsArgument(property)).ToList();
        var constructors = AllConstructors.Where(constructor => constructor.Access.IsAssumed).Distinct().ToList();
        if (fields.Count + constructors.Count == 0)
            return;
        _source.Open($"protected override void CheckMembers({Names.Support}CompiledMemberCheck members)");
        foreach (var constructor in constructors)
            _source.Line($"members.CheckConstructor(typeof({constructor.Type}), static () => {Creator(constructor)}());");
        foreach (var field in fields.GroupBy(field => field.HiddenField).Select(group => group.First()))
            _source.Line($"members.CheckField(typeof({OwnerTypeOf(field)}), {Literal(field.Name)}, {Literal(field.HiddenField!.LookedFor)}, Field{HiddenUseOf(field).Number} >= 0);");
        _source.Close();
        _source.Line();
    }

    /// <summary>A field that generated code looks for, and the code that uses it.</summary>
    /// <param name="number">The number that distinguishes the field from others.</param>
    /// <param name="property">A property with the field.</param>
    sealed class HiddenUse(int number, PropertySpec property)
    {
        public int Number => number;

        public PropertySpec Property => property;

        public bool IsGot { get; set; }

        public bool IsSet { get; set; }
    }
}
