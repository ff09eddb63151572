using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

// Configuration classes, and code of the model that is copied to the generated part of the context.
sealed partial class ModelReader
{
    const string ConfigurationInterface = "IEntityTypeConfiguration";

    ScopeSpec? _scope;
    INamedTypeSymbol? _owner;

    /// <summary>Reads a configuration class that is created where it is applied.</summary>
    void ReadConfiguration(ArgumentSyntax argument, SemanticModel semantics)
    {
        if (argument.Expression is BaseObjectCreationExpressionSyntax && semantics.GetTypeInfo(argument.Expression, cancellationToken).Type is INamedTypeSymbol type)
            ReadConfiguration(type, argument);
        else
            Report(argument, "Create the configuration in the call: model.ApplyConfiguration(new ProductConfiguration()).");
    }

    /// <summary>Reads the configuration classes of the assembly that is being compiled, in the order of their names.</summary>
    void ReadConfigurations(ArgumentSyntax argument, SemanticModel semantics)
    {
        if (!IsThisAssembly(argument.Expression, semantics))
        {
            Report(argument, "Only configurations that are compiled with the context can be read. Pass typeof(ShopContext).Assembly, or apply them one by one.");
            return;
        }
        var types = TypesOf(compilation.Assembly.GlobalNamespace)
            .Where(type => type is { TypeKind: TypeKind.Class, IsAbstract: false, IsGenericType: false })
            .Where(type => ConfiguredBy(type).Any(known => EntityTypeOf(known.TypeArguments[0]) is not null))
            .OrderBy(type => type.ToDisplayString(), StringComparer.Ordinal);
        foreach (var type in types)
            ReadConfiguration(type, argument);
    }

    bool IsThisAssembly(ExpressionSyntax expression, SemanticModel semantics) => expression switch
    {
        MemberAccessExpressionSyntax { Name.Identifier.Text: "Assembly", Expression: TypeOfExpressionSyntax type } =>
            SymbolEqualityComparer.Default.Equals(semantics.GetTypeInfo(type.Type, cancellationToken).Type?.ContainingAssembly, compilation.Assembly),
        MemberAccessExpressionSyntax { Name.Identifier.Text: "Assembly", Expression: InvocationExpressionSyntax call } =>
            semantics.GetSymbolInfo(call, cancellationToken).Symbol is IMethodSymbol { Name: "GetType", ContainingType.SpecialType: SpecialType.System_Object },
        InvocationExpressionSyntax call => semantics.GetSymbolInfo(call, cancellationToken).Symbol is IMethodSymbol { Name: "GetExecutingAssembly" },
        _ => false,
    };

    static IEnumerable<INamedTypeSymbol> TypesOf(INamespaceOrTypeSymbol container) =>
        container.GetMembers().OfType<INamespaceOrTypeSymbol>().SelectMany(member => TypesOf(member).Prepend(member)).OfType<INamedTypeSymbol>();

    static IEnumerable<INamedTypeSymbol> ConfiguredBy(INamedTypeSymbol type) =>
        type.AllInterfaces.Where(known => known.Arity == 1 && Names.FullName(known) == Names.Data + ConfigurationInterface);

    void ReadConfiguration(INamedTypeSymbol type, ArgumentSyntax argument)
    {
        foreach (var configuration in ConfiguredBy(type))
        {
            var method = configuration.GetMembers("Configure").Select(type.FindImplementationForInterfaceMember).OfType<IMethodSymbol>().FirstOrDefault();
            method = method is null ? null : Overriding(method, type);
            if (DeclarationOf(method) is { } declaration)
                ReadBody(declaration, method!, ConfigurationOf(configuration.TypeArguments[0], argument.GetLocation()), type);
            else if (method is not null && !SymbolEqualityComparer.Default.Equals(method.ContainingType, type) && SymbolEqualityComparer.Default.Equals(type.ContainingAssembly, compilation.Assembly))
            {
                Report(
                    argument,
                    $"'{type.Name}' inherits Configure from '{method.ContainingType.Name}' in another assembly, and only code that is compiled with the context can be read. "
                        + $"Write Configure in '{type.Name}', with all its calls.");
            }
            else
                Report(argument, $"'{type.Name}' is in another assembly, and only configurations that are compiled with the context can be read.");
        }
    }

    void ReadFilter(IMethodSymbol method, InvocationExpressionSyntax call, SemanticModel semantics)
    {
        var arguments = call.ArgumentList.Arguments;
        bool isNamed = method.Parameters.Length == 2;
        string? name = isNamed ? Constant(call, method, 0, semantics) as string : null;
        var condition = arguments.FirstOrDefault(argument => argument.NameColon?.Name.Identifier.Text == "filter") ?? arguments.LastOrDefault();
        if (condition?.Expression is not LambdaExpressionSyntax lambda)
        {
            if (condition is not null)
                Report(condition, "Write the filter as a lambda: p => !p.IsDeleted.");
            return;
        }
        if (isNamed && string.IsNullOrEmpty(name))
        {
            if (name is not null)
                Report(arguments[0], "The name of the filter is empty. Pass another name, or none.");
            return;
        }
        if (CanCopy(lambda, semantics, "The filter", mayUseContext: SymbolEqualityComparer.Default.Equals(_owner, context)))
            _filters.Add(new FilterSpec(TypeMapping.Bare(method.ContainingType.TypeArguments[0]), name, QualifiedCode.Of(lambda, semantics, Substitute, cancellationToken), _scope!));
    }

    void ReadSeeds(IMethodSymbol method, SeparatedSyntaxList<ArgumentSyntax> arguments, SemanticModel semantics)
    {
        if (arguments.Count == 0 || !arguments.All(argument => CanCopy(argument.Expression, semantics, "The entity", mayUseContext: false)))
            return;
        string entity = TypeMapping.Bare(method.ContainingType.TypeArguments[0]);
        // A single argument may be an array of all entities.
        bool isOne = !method.Parameters[0].IsParams
            || (arguments.Count == 1 && semantics.GetTypeInfo(arguments[0].Expression, cancellationToken).ConvertedType is IArrayTypeSymbol);
        string entities = isOne
            ? Text(arguments[0])
            : $"new {entity}[] {{ {string.Join(", ", arguments.Select(Text))} }}";
        _seeds.Add(new SeedSpec(entity, entities, _scope!));

        string Text(ArgumentSyntax argument) => QualifiedCode.Of(argument.Expression, semantics, Substitute, cancellationToken);
    }

    /// <summary>Returns true if code means the same in the generated part of the context; otherwise reports what it uses.</summary>
    bool CanCopy(ExpressionSyntax code, SemanticModel semantics, string what, bool mayUseContext)
    {
        string allowed = mayUseContext ? "its argument, static members and members of the context" : "its argument and static members";
        if (Captured(code, semantics, mayUseContext) is { } captured)
        {
            Report(code, $"{what} uses '{captured}', but it can only use {allowed}.");
            return false;
        }
        foreach (var name in code.DescendantNodesAndSelf().OfType<SimpleNameSyntax>())
        {
            if (semantics.GetSymbolInfo(name, cancellationToken).Symbol is not { } symbol || symbol is IParameterSymbol or IRangeVariableSymbol or INamespaceSymbol)
                continue;
            if (symbol is ILocalSymbol or IMethodSymbol { MethodKind: MethodKind.LocalFunction })
            {
                if (symbol.DeclaringSyntaxReferences.Any(declaration => declaration.SyntaxTree == code.SyntaxTree && code.Span.Contains(declaration.Span)))
                    continue;
                Report(code, $"{what} uses '{symbol.Name}', but it can only use {allowed}.");
                return false;
            }
            if (TypeWithOtherMember(name, symbol, semantics) is { } meant)
            {
                Report(
                    name,
                    $"{what} uses '{symbol.ContainingType.Name}.{symbol.Name}', which is not the member '{symbol.Name}' of '{meant.Name}'. "
                        + $"Write it in code that names '{meant.Name}' instead of a type parameter.");
                return false;
            }
            if (!compilation.IsSymbolAccessibleWithin(symbol.OriginalDefinition, context) || IsFileLocal(symbol))
            {
                Report(name, $"{what} uses '{symbol.Name}', which the context cannot access. Make it internal.");
                return false;
            }
        }
        return true;
    }

    /// <summary>True if a symbol is a type, or belongs to one, that is visible in its file only.</summary>
    static bool IsFileLocal(ISymbol symbol)
    {
        for (var type = symbol as INamedTypeSymbol ?? symbol.ContainingType; type is not null; type = type.ContainingType)
        {
            if (type.IsFileLocal)
                return true;
        }
        return false;
    }

    /// <summary>Returns the name of a variable of the method, or of an instance, that code uses; null if there is none.</summary>
    static string? Captured(ExpressionSyntax code, SemanticModel semantics, bool mayUseContext)
    {
        var flow = semantics.AnalyzeDataFlow(code);
        return flow?.Succeeded == true
            ? flow.ReadInside
                .Concat(flow.WrittenInside)
                .Except(flow.VariablesDeclared, SymbolEqualityComparer.Default)
                .FirstOrDefault(symbol => !mayUseContext || !IsOfContext(symbol!))?.Name
            : null;

        static bool IsOfContext(ISymbol symbol) => symbol is IParameterSymbol parameter
            && (parameter.IsThis || parameter.ContainingSymbol is IMethodSymbol { MethodKind: MethodKind.Constructor });
    }

    /// <summary>
    /// Returns the scope of code in a method: the namespaces and classes that using directives name and whose extension methods the code
    /// sees. If the class is in another namespace than the context, they include that namespace.
    /// </summary>
    ScopeSpec ScopeOf(SyntaxNode declaration, INamedTypeSymbol owner)
    {
        var own = new List<string>();
        if (!SymbolEqualityComparer.Default.Equals(owner, context))
        {
            for (var space = owner.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
                own.Add($"using {space.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)};");
        }
        var semantics = SemanticsOf(declaration);
        return new ScopeSpec(
            new(UsingsOf(declaration.SyntaxTree.GetRoot(cancellationToken), semantics).Distinct()),
            new(declaration.Ancestors().OfType<BaseNamespaceDeclarationSyntax>().SelectMany(part => UsingsOf(part, semantics)).Concat(own).Distinct()));
    }

    /// <summary>
    /// Returns the using directives of a file or namespace with full names. Aliases are left out, because copied code uses full names.
    /// </summary>
    IEnumerable<string> UsingsOf(SyntaxNode node, SemanticModel semantics)
    {
        var usings = node switch
        {
            CompilationUnitSyntax file => file.Usings,
            BaseNamespaceDeclarationSyntax part => part.Usings,
            _ => default,
        };
        foreach (var directive in usings.Where(directive => directive.Alias is null && !directive.GlobalKeyword.IsKind(SyntaxKind.GlobalKeyword)))
        {
            var symbol = semantics.GetSymbolInfo(directive.NamespaceOrType, cancellationToken).Symbol;
            if (symbol is INamespaceSymbol { IsGlobalNamespace: false } or INamedTypeSymbol and not IErrorTypeSymbol && !IsFileLocal(symbol))
                yield return $"using {(symbol is INamespaceSymbol ? "" : "static ")}{symbol.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)};";
        }
    }
}
