using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

// Classes that describe an entity class each, and code of the model that the generated part of the context repeats.
sealed partial class ModelReader
{
    const string ConfigurationInterface = "IEntityTypeConfiguration";

    ScopeSpec? _scope;
    INamedTypeSymbol? _owner;

    /// <summary>Follows the class of a configuration that is made where it is applied.</summary>
    void ReadConfiguration(ArgumentSyntax argument, SemanticModel semantics)
    {
        if (argument.Expression is BaseObjectCreationExpressionSyntax && semantics.GetTypeInfo(argument.Expression, cancellationToken).Type is INamedTypeSymbol type)
            ReadConfiguration(type, argument);
        else
            Report(argument, "make the configuration here: model.ApplyConfiguration(new ProductConfiguration())");
    }

    /// <summary>Follows the configurations of the assembly that is being compiled, in the order of their names.</summary>
    void ReadConfigurations(ArgumentSyntax argument, SemanticModel semantics)
    {
        if (!IsThisAssembly(argument.Expression, semantics))
        {
            Report(argument, "only configurations that are compiled with the context can be read: say typeof(ShopContext).Assembly, or apply them one by one");
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
            if (DeclarationOf(method) is { } declaration)
                ReadBody(declaration, method!.Parameters[0], ConfigurationOf(configuration.TypeArguments[0], argument.GetLocation()), type);
            else
                Report(argument, $"'{type.Name}' is of another assembly, and only configurations that are compiled with the context can be read");
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
                Report(condition, "write the filter as a lambda: p => !p.IsDeleted");
            return;
        }
        if (isNamed && string.IsNullOrEmpty(name))
        {
            if (name is not null)
                Report(arguments[0], "a filter has a name that is not empty, or none");
            return;
        }
        if (CanRepeat(lambda, semantics, "the filter", mayUseContext: SymbolEqualityComparer.Default.Equals(_owner, context)))
            _filters.Add(new FilterSpec(TypeMapping.Bare(method.ContainingType.TypeArguments[0]), name, lambda.WithoutTrivia().ToString(), _scope!));
    }

    void ReadSeeds(IMethodSymbol method, SeparatedSyntaxList<ArgumentSyntax> arguments, SemanticModel semantics)
    {
        if (arguments.Count == 0 || !arguments.All(argument => CanRepeat(argument.Expression, semantics, "the entity", mayUseContext: false)))
            return;
        string entity = TypeMapping.Bare(method.ContainingType.TypeArguments[0]);
        // One argument may be all of them.
        bool isOne = !method.Parameters[0].IsParams
            || (arguments.Count == 1 && semantics.GetTypeInfo(arguments[0].Expression, cancellationToken).ConvertedType is IArrayTypeSymbol);
        string entities = isOne
            ? arguments[0].Expression.WithoutTrivia().ToString()
            : $"new {entity}[] {{ {string.Join(", ", arguments.Select(argument => argument.Expression.WithoutTrivia().ToString()))} }}";
        _seeds.Add(new SeedSpec(entity, entities, _scope!));
    }

    /// <summary>Returns true if code means the same in the generated part of the context; reports what it uses if not.</summary>
    bool CanRepeat(ExpressionSyntax code, SemanticModel semantics, string what, bool mayUseContext)
    {
        string allowed = mayUseContext ? "its argument, static members and members of the context" : "its argument and static members";
        if (Captured(code, semantics, mayUseContext) is { } captured)
        {
            Report(code, $"{what} uses '{captured}', and can only use {allowed}");
            return false;
        }
        foreach (var name in code.DescendantNodesAndSelf().OfType<SimpleNameSyntax>())
        {
            if (semantics.GetSymbolInfo(name, cancellationToken).Symbol is not { } symbol || symbol is ILocalSymbol or IParameterSymbol or IRangeVariableSymbol or INamespaceSymbol)
                continue;
            if (!compilation.IsSymbolAccessibleWithin(symbol.OriginalDefinition, context))
            {
                Report(name, $"{what} uses '{symbol.Name}', which the context cannot see; make it internal");
                return false;
            }
            if (!IsQualified(name) && symbol.ContainingType is { } owner && !SymbolEqualityComparer.Default.Equals(_owner, context) && Members.LineageOf(_owner!).Contains(owner, SymbolEqualityComparer.Default))
            {
                Report(name, $"{what} stands for itself in the context: name the class of '{symbol.Name}', as in {owner.Name}.{symbol.Name}");
                return false;
            }
        }
        return true;
    }

    static bool IsQualified(SimpleNameSyntax name) => name.Parent switch
    {
        MemberAccessExpressionSyntax access => access.Name == name,
        QualifiedNameSyntax qualified => qualified.Right == name,
        AliasQualifiedNameSyntax or MemberBindingExpressionSyntax or NameColonSyntax or NameEqualsSyntax => true,
        // The properties of an object that is made.
        AssignmentExpressionSyntax { Parent: InitializerExpressionSyntax } assignment => assignment.Left == name,
        SubpatternSyntax or ExpressionColonSyntax => true,
        _ => false,
    };

    /// <summary>Something of the method's, or of an instance, that code uses.</summary>
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

    /// <summary>Returns the using directives that code of a method is under; a class of another namespace than the context's sees its own.</summary>
    ScopeSpec ScopeOf(SyntaxNode declaration, INamedTypeSymbol owner)
    {
        var own = new List<string>();
        if (!SymbolEqualityComparer.Default.Equals(owner, context))
        {
            for (var space = owner.ContainingNamespace; space is { IsGlobalNamespace: false }; space = space.ContainingNamespace)
                own.Add($"using {space.ToDisplayString(SymbolDisplayFormat.FullyQualifiedFormat)};");
        }
        var ofFile = UsingsOf(declaration.SyntaxTree.GetRoot(cancellationToken)).ToList();
        return new ScopeSpec(
            new(ofFile), new(declaration.Ancestors().OfType<BaseNamespaceDeclarationSyntax>().SelectMany(UsingsOf).Concat(own).Distinct()));
    }

    static IEnumerable<string> UsingsOf(SyntaxNode? node) =>
        (node switch
        {
            CompilationUnitSyntax file => file.Usings,
            BaseNamespaceDeclarationSyntax part => part.Usings,
            _ => default,
        })
        .Where(directive => !directive.GlobalKeyword.IsKind(SyntaxKind.GlobalKeyword))
        .Select(directive => directive.WithoutTrivia().ToString())
        .Distinct();
}
