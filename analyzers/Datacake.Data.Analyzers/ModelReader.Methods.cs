using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>
/// Follows methods that take builders: methods of the base classes of configurations, with entity classes in place of their type
/// parameters, and methods that describe parts of the model.
/// </summary>
sealed partial class ModelReader
{
    readonly HashSet<IMethodSymbol> _followed = new(SymbolEqualityComparer.Default);

    /// <summary>The type arguments of the method that is being followed, and of its class.</summary>
    Dictionary<ITypeParameterSymbol, ITypeSymbol> _typeArguments = new(SymbolEqualityComparer.Default);

    /// <summary>
    /// The class of the context or configuration whose methods are being followed. It may override methods of its base classes.
    /// </summary>
    INamedTypeSymbol? _self;

    object? _returned;

    /// <summary>Follows a method of a class or its base classes, with a value for the parameter.</summary>
    void ReadBody(MethodDeclarationSyntax declaration, IMethodSymbol method, object value, INamedTypeSymbol self)
    {
        var outer = _self;
        _self = self;
        ReadBody(declaration, method, [value]);
        _self = outer;
    }

    /// <summary>Follows a method, and returns the value of its result.</summary>
    object? ReadBody(MethodDeclarationSyntax declaration, IMethodSymbol method, List<object> values)
    {
        var definition = method.OriginalDefinition;
        var (outerScope, outerOwner, outerArguments) = (_scope, _owner, _typeArguments);
        var arguments = ArgumentsOf(method);
        (_scope, _owner, _typeArguments, _returned) = (ScopeOf(declaration, definition.ContainingType), definition.ContainingType, arguments, null);
        _followed.Add(definition);
        for (int i = 0; i < values.Count; i++)
            _variables[definition.Parameters[i]] = values[i];
        var semantics = SemanticsOf(declaration);
        if (declaration.ExpressionBody is { } expression)
            _returned = Evaluate(expression.Expression, semantics);
        foreach (var statement in declaration.Body?.Statements ?? [])
            Execute(statement, semantics);
        _followed.Remove(definition);
        (_scope, _owner, _typeArguments) = (outerScope, outerOwner, outerArguments);
        return _returned;
    }

    /// <summary>True if a method takes a builder.</summary>
    static bool TakesBuilder(IMethodSymbol method) => (method.ReducedFrom ?? method).Parameters.Any(parameter => IsBuilder(parameter.Type));

    static bool IsBuilder(ITypeSymbol type) =>
        type.Name.EndsWith("Builder", StringComparison.Ordinal) && type.ContainingNamespace is { Name: "Data", ContainingNamespace.Name: "Datacake" };

    /// <summary>
    /// Follows a call of a method that takes builders, and returns the value of its result. Reports a call that cannot be followed.
    /// </summary>
    object? Follow(IMethodSymbol called, InvocationExpressionSyntax call, SemanticModel semantics)
    {
        var receiver = (call.Expression as MemberAccessExpressionSyntax)?.Expression;
        var method = called.GetConstructedReducedFrom() ?? (receiver is BaseExpressionSyntax ? called : Overriding(called, _self!));
        string name = $"{method.ContainingType.Name}.{method.Name}";
        if (!method.IsStatic && receiver is not (null or ThisExpressionSyntax or BaseExpressionSyntax))
        {
            Report(call, $"'{name}' is called on another object, and only static methods and methods of the same object can be read. Write its calls here.");
            return null;
        }
        if (DeclarationOf(method) is not { } declaration)
        {
            Report(call, compilation.Assembly.Equals(method.ContainingAssembly, SymbolEqualityComparer.Default)
                ? $"'{name}' is a local function. Make it a method, or write its calls here."
                : $"'{name}' is in another assembly, and only methods that are compiled with the context can be read. Write its calls here.");
            return null;
        }
        if (_followed.Contains(method.OriginalDefinition))
        {
            Report(call, $"'{name}' calls itself, and recursive calls cannot be read.");
            return null;
        }
        var given = call.ArgumentList.Arguments.Select(argument => argument.Expression).ToList();
        if (called.ReducedFrom is not null)
            given.Insert(0, receiver!);
        if (given.Count != method.Parameters.Length || !method.Parameters.All(parameter => IsBuilder(parameter.Type)) || call.ArgumentList.Arguments.Any(argument => argument.NameColon is not null))
        {
            Report(call, $"'{name}' takes parameters other than builders, and only methods that take nothing but builders can be read. Write its calls here.");
            return null;
        }
        var values = given.Select(argument => Evaluate(argument, semantics)).OfType<object>().ToList();
        return values.Count == given.Count ? ReadBody(declaration, method, values) : null;
    }

    /// <summary>Returns the method that runs when a method is called on an object of a class: its last override.</summary>
    static IMethodSymbol Overriding(IMethodSymbol method, INamedTypeSymbol self)
    {
        if (!(method.IsVirtual || method.IsAbstract || method.IsOverride))
            return method;
        foreach (var candidate in Members.LineageOf(self).SelectMany(type => type.GetMembers(method.Name).OfType<IMethodSymbol>()))
        {
            for (var known = candidate; known is not null; known = known.OverriddenMethod)
            {
                if (SymbolEqualityComparer.Default.Equals(known.OriginalDefinition, method.OriginalDefinition))
                    return method.IsGenericMethod ? candidate.Construct([.. method.TypeArguments]) : candidate;
            }
        }
        return method;
    }

    /// <summary>Returns the type arguments of a method, and of the classes that contain it.</summary>
    Dictionary<ITypeParameterSymbol, ITypeSymbol> ArgumentsOf(IMethodSymbol method)
    {
        var arguments = new Dictionary<ITypeParameterSymbol, ITypeSymbol>(SymbolEqualityComparer.Default);
        foreach (var (parameter, argument) in method.OriginalDefinition.TypeParameters.Zip(method.TypeArguments, (parameter, argument) => (parameter, argument)))
            arguments[parameter] = Substitute(argument);
        for (var type = method.ContainingType; type is not null; type = type.ContainingType)
        {
            foreach (var (parameter, argument) in type.OriginalDefinition.TypeParameters.Zip(type.TypeArguments, (parameter, argument) => (parameter, argument)))
                arguments[parameter] = Substitute(argument);
        }
        return arguments;
    }

    /// <summary>Returns a type with the type parameters of the method that is being followed replaced by their arguments.</summary>
    ITypeSymbol Substitute(ITypeSymbol type)
    {
        switch (type)
        {
            case var _ when _typeArguments.Count == 0:
                return type;
            case ITypeParameterSymbol parameter:
                return _typeArguments.TryGetValue((ITypeParameterSymbol)parameter.OriginalDefinition, out var argument) ? argument : type;
            case IArrayTypeSymbol array:
                return compilation.CreateArrayTypeSymbol(Substitute(array.ElementType), array.Rank);
            case INamedTypeSymbol { IsUnboundGenericType: false, IsTupleType: false } named:
                var definition = named.OriginalDefinition;
                if (named.ContainingType is { } container && Substitute(container) is INamedTypeSymbol around && !SymbolEqualityComparer.Default.Equals(around, container))
                    definition = around.GetTypeMembers(named.Name, named.Arity).FirstOrDefault() ?? definition;
                return named.Arity == 0 ? definition : definition.Construct([.. named.TypeArguments.Select(Substitute)]);
            default:
                return type;
        }
    }

    /// <summary>
    /// Returns a method of a builder with the type parameters of the method that is being followed replaced by their arguments.
    /// </summary>
    IMethodSymbol Substitute(IMethodSymbol method)
    {
        if (_typeArguments.Count == 0 || method.ReducedFrom is not null || Substitute(method.ContainingType) is not INamedTypeSymbol owner)
            return method;
        var found = owner.GetMembers(method.Name).OfType<IMethodSymbol>().FirstOrDefault(
            candidate => SymbolEqualityComparer.Default.Equals(candidate.OriginalDefinition, method.OriginalDefinition));
        if (found is null)
            return method;
        return found.IsGenericMethod ? found.Construct([.. method.TypeArguments.Select(Substitute)]) : found;
    }

    /// <summary>
    /// Returns the class that a type parameter stands for, if the name of a member that is used through the parameter means another member
    /// in the class, or none; null if it means the same member.
    /// </summary>
    ITypeSymbol? TypeWithOtherMember(SimpleNameSyntax name, ISymbol member, SemanticModel semantics)
    {
        var receiver = name.Parent switch
        {
            MemberAccessExpressionSyntax access when access.Name == name => access.Expression,
            MemberBindingExpressionSyntax { Parent: ConditionalAccessExpressionSyntax conditional } => conditional.Expression,
            _ => null,
        };
        if (receiver is null || semantics.GetTypeInfo(receiver, cancellationToken).Type is not ITypeParameterSymbol parameter || Substitute(parameter) is not INamedTypeSymbol type)
            return null;
        if (type.TypeKind == TypeKind.Interface)
            return null;
        var found = Members.LineageOf(type).SelectMany(ancestor => ancestor.GetMembers(member.Name)).FirstOrDefault();
        if (found is null)
            return type;
        if (member.ContainingType is { TypeKind: TypeKind.Interface } shown)
        {
            var meant = (Substitute(shown) as INamedTypeSymbol)?.GetMembers(member.Name).FirstOrDefault(candidate => SymbolEqualityComparer.Default.Equals(candidate.OriginalDefinition, member.OriginalDefinition));
            return meant is not null && type.FindImplementationForInterfaceMember(meant) is { } implementation && implementation.Name == member.Name ? null : type;
        }
        return found is IMethodSymbol || Overridden(found).Contains(member.OriginalDefinition, SymbolEqualityComparer.Default) ? null : type;
    }

    static IEnumerable<ISymbol> Overridden(ISymbol member)
    {
        for (var known = member; known is not null; known = (known as IPropertySymbol)?.OverriddenProperty)
            yield return known.OriginalDefinition;
    }
}
