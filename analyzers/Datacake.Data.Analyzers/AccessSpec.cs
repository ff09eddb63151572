using Microsoft.CodeAnalysis;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The way in which generated code accesses, by its name, a member that the compiler does not let it use. The accessor of a member of a
/// generic type is in a helper class with the same type parameters, because the runtime looks for the member in the definition of the type.
/// </summary>
/// <param name="Owner">The type that declares the member, as it is defined.</param>
/// <param name="Values">The type of the value, or the types of a constructor's parameters, as they are defined.</param>
/// <param name="Parameters">The type parameters, in angle brackets; empty if there are none.</param>
/// <param name="Arguments">The type arguments, in angle brackets; empty if there are none.</param>
/// <param name="Constraints">The constraints on the type parameters.</param>
sealed record AccessSpec(string Owner, EquatableArray<string> Values, string Parameters, string Arguments, string Constraints)
{
    public static readonly AccessSpec None = new("", new([]), "", "", "");

    /// <summary>True if it cannot be determined whether the member exists, so that the application looks for it when it starts.</summary>
    public bool IsAssumed { get; init; }

    /// <summary>True if the owner is a struct, which is passed by reference.</summary>
    public bool IsOfStruct { get; init; }

    public static AccessSpec Of(INamedTypeSymbol owner, IEnumerable<ITypeSymbol> values)
    {
        var types = new List<INamedTypeSymbol>();
        for (var type = owner; type is not null; type = type.ContainingType)
            types.Insert(0, type);
        var parameters = types.SelectMany(type => type.OriginalDefinition.TypeParameters).ToList();
        var arguments = types.SelectMany(type => type.TypeArguments).ToList();
        return new AccessSpec(
            owner.OriginalDefinition.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat),
            new(values.Select(value => Names.Of(value))),
            InBrackets(parameters.Select(parameter => parameter.Name)),
            InBrackets(arguments.Select(argument => argument.ToDisplayString(Names.WithNullability))),
            string.Concat(parameters.Select(Constraint)))
        {
            IsOfStruct = owner.IsValueType,
        };
    }

    static string InBrackets(IEnumerable<string> names) => string.Join(", ", names) is { Length: > 0 } list ? $"<{list}>" : "";

    static string Constraint(ITypeParameterSymbol parameter)
    {
        var constraints = new List<string>();
        if (parameter.HasReferenceTypeConstraint)
            constraints.Add(parameter.ReferenceTypeConstraintNullableAnnotation == NullableAnnotation.Annotated ? "class?" : "class");
        if (parameter.HasUnmanagedTypeConstraint)
            constraints.Add("unmanaged");
        else if (parameter.HasValueTypeConstraint)
            constraints.Add("struct");
        if (parameter.HasNotNullConstraint)
            constraints.Add("notnull");
        constraints.AddRange(parameter.ConstraintTypes.Select(type => type.ToDisplayString(Names.WithNullability)));
        if (parameter.HasConstructorConstraint)
            constraints.Add("new()");
        return constraints.Count == 0 ? "" : $" where {parameter.Name} : {string.Join(", ", constraints)}";
    }
}
