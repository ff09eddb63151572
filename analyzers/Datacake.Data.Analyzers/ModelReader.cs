using System.Globalization;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Datacake.Data.Analyzers;

/// <summary>
/// The reader of a context's <c>OnModelCreating</c>. It follows the calls as if it ran them, and reports what it cannot follow.
/// </summary>
/// <param name="compilation">The compilation of the context.</param>
/// <param name="context">The context.</param>
/// <param name="entityTypes">The classes that have keyspaces in it.</param>
/// <param name="cancellationToken">Cancels the reading.</param>
sealed partial class ModelReader(
    Compilation compilation, INamedTypeSymbol context, IReadOnlyList<ITypeSymbol> entityTypes, CancellationToken cancellationToken)
{
    const string Method = "OnModelCreating",
        Examples = "p => p.Name, p => p.Address.City, or p => new { p.Country, p.Number }";

    readonly Dictionary<ITypeSymbol, EntityConfiguration> _entities = new(SymbolEqualityComparer.Default);
    readonly List<DiagnosticSpec> _diagnostics = [];
    readonly List<ConverterFieldSpec> _converters = [];
    readonly List<FilterSpec> _filters = [];
    readonly List<SeedSpec> _seeds = [];
    readonly List<ConventionConfiguration> _conventions = [];
    readonly Dictionary<ISymbol, object> _variables = new(SymbolEqualityComparer.Default);

    /// <summary>The value that represents the model builder. Configurations represent the other builders.</summary>
    static readonly object Model = new();

    public IReadOnlyList<DiagnosticSpec> Diagnostics => _diagnostics;

    public IReadOnlyList<ConverterFieldSpec> Converters => _converters;

    public IReadOnlyList<FilterSpec> Filters => _filters;

    public IReadOnlyList<SeedSpec> Seeds => _seeds;

    /// <summary>Returns the configurations, by entity class.</summary>
    public Dictionary<ITypeSymbol, EntityConfiguration> Read()
    {
        ReadMethod("ConfigureConventions", "ModelConfigurationBuilder");
        if (_conventions.Count > 0)
        {
            foreach (var type in entityTypes)
                _entities[type] = new EntityConfiguration(null) { Conventions = _conventions };
        }
        ReadMethod(Method, "ModelBuilder");
        return _entities;
    }

    /// <summary>Follows a method that the context overrides.</summary>
    void ReadMethod(string name, string parameterType)
    {
        var method = context.GetMembers(name).OfType<IMethodSymbol>().FirstOrDefault(
            candidate => candidate is { IsOverride: true, Parameters.Length: 1 }
                && Names.FullName(candidate.Parameters[0].Type) == Names.Data + parameterType);
        if (DeclarationOf(method) is { } declaration)
            ReadBody(declaration, method!, Model, context);
    }

    /// <summary>Returns the declaration of a method; null if it is in another project, whose code an editor may show as well.</summary>
    MethodDeclarationSyntax? DeclarationOf(IMethodSymbol? method) =>
        method?.DeclaringSyntaxReferences.FirstOrDefault() is { } reference && compilation.ContainsSyntaxTree(reference.SyntaxTree)
            ? reference.GetSyntax(cancellationToken) as MethodDeclarationSyntax
            : null;

    void Execute(StatementSyntax statement, SemanticModel semantics)
    {
        switch (statement)
        {
            case ExpressionStatementSyntax { Expression: var expression }:
                Evaluate(expression, semantics);
                break;
            case LocalDeclarationStatementSyntax { Declaration.Variables: var variables }:
                foreach (var variable in variables.Where(variable => variable.Initializer is not null))
                {
                    if (semantics.GetDeclaredSymbol(variable, cancellationToken) is { } symbol
                        && Evaluate(variable.Initializer!.Value, semantics) is { } target)
                        _variables[symbol] = target;
                }
                break;
            case EmptyStatementSyntax:
                break;
            case ReturnStatementSyntax { Expression: { } result }:
                _returned = Evaluate(result, semantics);
                break;
            default:
                Report(statement, "Only a sequence of calls on the model can be read, without conditions or loops.");
                break;
        }
    }

    /// <summary>Returns the value of an expression; null if an error was reported, here or by the compiler.</summary>
    object? Evaluate(ExpressionSyntax expression, SemanticModel semantics)
    {
        switch (expression)
        {
            case ParenthesizedExpressionSyntax { Expression: var inner }:
                return Evaluate(inner, semantics);
            case PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.SuppressNullableWarningExpression, Operand: var inner }:
                return Evaluate(inner, semantics);
            case CastExpressionSyntax { Expression: var inner }:
                return Evaluate(inner, semantics);
            case AssignmentExpressionSyntax { Left: var left, Right: var right } when semantics.GetSymbolInfo(left, cancellationToken).Symbol is IDiscardSymbol:
                return Evaluate(right, semantics);
            case IdentifierNameSyntax when semantics.GetSymbolInfo(expression, cancellationToken).Symbol is { } symbol
                && _variables.TryGetValue(symbol, out object? value):
                return value;
            case InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax { Expression: BaseExpressionSyntax } inherited }
                when inherited.Name.Identifier.Text is Method or "ConfigureConventions" && SymbolEqualityComparer.Default.Equals(_self, context):
                return null;
            case InvocationExpressionSyntax call:
                if (semantics.GetSymbolInfo(call, cancellationToken).Symbol is not IMethodSymbol method)
                    goto default;
                if (call.Expression is MemberAccessExpressionSyntax access && method.ContainingType.ContainingNamespace is { Name: "Data", ContainingNamespace.Name: "Datacake" })
                    return Evaluate(access.Expression, semantics) is { } target ? Call(target, Substitute(method), call, semantics) : null;
                if (TakesBuilder(method))
                    return Follow(method, call, semantics);
                break;
            default:
                // A constant does not affect the model, and the compiler reports code that does not compile.
                if (semantics.GetConstantValue(expression, cancellationToken).HasValue
                    || semantics.GetDiagnostics(expression.Span, cancellationToken).Any(problem => problem.Severity == DiagnosticSeverity.Error))
                    return null;
                break;
        }
        Report(expression, "Only calls on the model, and on the results of such calls, can be read.");
        return null;
    }

    /// <summary>Returns the result of a call on a builder.</summary>
    object? Call(object target, IMethodSymbol method, InvocationExpressionSyntax call, SemanticModel semantics)
    {
        var arguments = call.ArgumentList.Arguments;
        string? Text(int index) => Constant(call, method, index, semantics) as string;
        long? Number(int index) => index < method.Parameters.Length && Constant(call, method, index, semantics) is { } number ? Convert.ToInt64(number, CultureInfo.InvariantCulture) : null;
        switch (target, method.Name)
        {
            case (_, "Entity") when target == Model:
                return OfEntity(method.TypeArguments[0], call, arguments, semantics);
            case (_, "ApplyConfiguration") when target == Model:
                ReadConfiguration(arguments[0], semantics);
                return Model;
            case (_, "ApplyConfigurationsFromAssembly") when target == Model:
                ReadConfigurations(arguments[0], semantics);
                return Model;
            case (_, "Properties" or "IgnoreAny") when target == Model:
                var ofType = new ConventionConfiguration(method.TypeArguments[0]) { IsIgnored = method.Name == "IgnoreAny" };
                _conventions.Add(ofType);
                return ofType.IsIgnored ? Model : ofType;
            case (ConventionConfiguration convention, "HaveMaxLength"):
                convention.MaxLength = Constant(call, method, 0, semantics) as int?;
                return convention;
            case (ConventionConfiguration convention, "HaveConversion"):
                convention.ConverterType = method.TypeArguments[0];
                return convention;
            case (EntityConfiguration { Class: { } derived }, "HasKey" or "ToKeyspace" or "DeleteWins" or "IsSerial" or "ExpiresAfter" or "HasDiscriminator" or "HasQueryFilter"):
                string of = EntityTypeOf(derived)!.Name;
                ReportConfiguration(call, $"'{method.Name}' applies to all entities of '{of}', and not to '{derived.Name}' alone. Call it on Entity<{of}>().");
                return null;
            case (EntityConfiguration entity, "HasKey"):
                entity.Key = Paths(arguments, semantics);
                return entity;
            case (EntityConfiguration entity, "HasIndex"):
                if (Paths(arguments, semantics) is not { } properties)
                    return null;
                entity.Indexes.Add(new IndexConfiguration(call.GetLocation(), entity.Class, properties, Text(1)));
                return entity.Indexes[entity.Indexes.Count - 1];
            case (EntityConfiguration entity, "Property"):
                return Path(arguments, semantics) is { } path ? entity.Property(path, arguments[0].GetLocation()) : null;
            case (EntityConfiguration entity, "Ignore"):
                if (Path(arguments, semantics) is { } ignored)
                    entity.Property(ignored, arguments[0].GetLocation()).IsIgnored = true;
                return entity;
            case (EntityConfiguration entity, "ToKeyspace"):
                entity.Keyspace = Text(0);
                return entity;
            case (EntityConfiguration entity, "DeleteWins"):
                entity.DeleteWins = true;
                return entity;
            case (EntityConfiguration entity, "IsSerial"):
                entity.IsSerial = true;
                return entity;
            case (EntityConfiguration entity, "ExpiresAfter"):
                entity.ExpiresAfter = Text(0);
                return entity;
            case (EntityConfiguration entity, "HasDiscriminator"):
                return entity;
            case (EntityConfiguration entity, "HasQueryFilter"):
                ReadFilter(method, call, semantics);
                return entity;
            case (EntityConfiguration entity, "HasData"):
                ReadSeeds(method, arguments, semantics);
                return entity;
            case (EntityConfiguration entity, "HasValue") when method.TypeArguments[0] is INamedTypeSymbol derived:
                entity.Derived.Add(new DerivedConfiguration(call.GetLocation(), derived, Text(0) ?? derived.Name));
                return entity;
            case (EntityConfiguration, "HasOne" or "HasMany"):
            case (RelationConfiguration, _) when method.Find("System.ObsoleteAttribute") is null:
                return CallOfRelation(target, method, call, semantics);
            case (IndexConfiguration index, "IsDescending"):
                index.Descending = [.. arguments.Select((_, i) => Constant(call, method, i, semantics) as bool? == true)];
                return index;
            case (IndexConfiguration index, "IsUnique"):
                index.IsUnique = Constant(call, method, 0, semantics) as bool? == true;
                return index;
            case (PropertyConfiguration property, "IsRequired"):
                property.IsRequired = Constant(call, method, 0, semantics) as bool?;
                return property;
            case (PropertyConfiguration property, "HasMaxLength"):
                property.MaxLength = Constant(call, method, 0, semantics) as int?;
                return property;
            case (PropertyConfiguration property, "IsCounter"):
                property.IsCounter = true;
                property.Minimum = Number(0);
                property.Maximum = Number(1);
                return property;
            case (PropertyConfiguration property, "IsExpiry"):
                property.IsExpiry = true;
                return property;
            case (PropertyConfiguration property, "IsConcurrencyToken"):
                property.IsConcurrencyToken = Constant(call, method, 0, semantics) as bool?;
                return property;
            case (PropertyConfiguration property, "HasFormerName"):
                property.FormerName = Text(0);
                return property;
            case (PropertyConfiguration property, "ValueGeneratedOnAdd"):
                property.IsGenerated = true;
                return property;
            case (PropertyConfiguration property, "ValueGeneratedNever"):
                property.IsGenerated = false;
                return property;
            case (PropertyConfiguration property, "HasConversion"):
                ReadConversion(property, method, arguments, semantics);
                return property;
            // Entity Framework has the method and Datacake does not. The compiler reports what to write instead.
            case (_, _) when method.Find("System.ObsoleteAttribute") is not null:
                return target;
            default:
                Report(call, $"'{method.Name}' is not supported on the model.");
                return null;
        }
    }

    object? OfEntity(
        ITypeSymbol type, InvocationExpressionSyntax call, SeparatedSyntaxList<ArgumentSyntax> arguments, SemanticModel semantics)
    {
        var entity = ConfigurationOf(type, call.GetLocation());
        if (arguments.Count == 0)
            return entity;
        if (arguments[0].Expression is not LambdaExpressionSyntax lambda
            || ParameterOf(lambda, semantics) is not { } parameter)
        {
            Report(arguments[0], "Describe the entity class in a lambda: model.Entity<Product>(entity => { … }).");
            return null;
        }
        _variables[parameter] = entity;
        if (lambda.ExpressionBody is { } expression)
            Evaluate(expression, semantics);
        foreach (var statement in lambda.Block?.Statements ?? [])
            Execute(statement, semantics);
        return Model;
    }

    EntityConfiguration ConfigurationOf(ITypeSymbol type, Location location)
    {
        // An array derives from object, which may be the class of a keyspace by mistake.
        var entityType = (type is INamedTypeSymbol ? EntityTypeOf(type) : null) ?? type;
        if (!_entities.TryGetValue(entityType, out var entity))
            _entities.Add(entityType, entity = new EntityConfiguration(location) { Conventions = _conventions });
        return SymbolEqualityComparer.Default.Equals(entityType, type) ? entity : entity.OfClass((INamedTypeSymbol)type, location);
    }

    /// <summary>Returns the class with a keyspace that a class is, or derives from; null if there is none.</summary>
    ITypeSymbol? EntityTypeOf(ITypeSymbol type)
    {
        for (var candidate = type; candidate is not null; candidate = candidate.BaseType)
        {
            if (entityTypes.Contains(candidate, SymbolEqualityComparer.Default))
                return candidate;
        }
        return null;
    }

    void ReadConversion(
        PropertyConfiguration property, IMethodSymbol method, SeparatedSyntaxList<ArgumentSyntax> arguments, SemanticModel semantics)
    {
        if (arguments.Count == 0)
        {
            property.ConverterType = method.TypeArguments[0];
            return;
        }
        if (context.IsGenericType)
        {
            Report(
                arguments[0],
                "The context is generic. Write the two functions as a class derived from ValueConverter: HasConversion<MyConverter>().");
            return;
        }
        if (!Members.IsAccessible(context))
        {
            Report(
                arguments[0], $"'{context.Name}' is private or protected, so generated code cannot use its functions. Make it internal.");
            return;
        }
        if (arguments.Any(argument => !CanCopy(argument.Expression, semantics, "The function", mayUseContext: false)))
            return;
        var propertyType = method.ContainingType.TypeArguments[0];
        var storedType = method.TypeArguments[0];
        string name = $"DatacakeConverter{_converters.Count}";
        _converters.Add(new ConverterFieldSpec(
            name,
            TypeMapping.Bare(propertyType),
            TypeMapping.Bare(storedType),
            Source(arguments[0].Expression),
            Source(arguments[1].Expression),
            _scope!));
        property.ConverterField = (name, propertyType, storedType);

        string Source(ExpressionSyntax expression) =>
            (expression is LambdaExpressionSyntax lambda && !lambda.Modifiers.Any(SyntaxKind.StaticKeyword) ? "static " : "") + QualifiedCode.Of(expression, semantics, Substitute, cancellationToken);
    }

    /// <summary>Returns the value of a constant argument by its position, or the default value if the argument is left out.</summary>
    object? Constant(InvocationExpressionSyntax call, IMethodSymbol method, int position, SemanticModel semantics)
    {
        var arguments = call.ArgumentList.Arguments;
        string parameter = position < method.Parameters.Length ? method.Parameters[position].Name : "";
        var argument = arguments.FirstOrDefault(candidate => candidate.NameColon?.Name.Identifier.Text == parameter)
            ?? (position < arguments.Count && arguments[position].NameColon is null ? arguments[position] : null);
        if (argument is null)
            return position < method.Parameters.Length && method.Parameters[position].HasExplicitDefaultValue
                ? method.Parameters[position].ExplicitDefaultValue
                : null;
        var value = semantics.GetConstantValue(argument.Expression, cancellationToken);
        if (!value.HasValue)
            Report(argument, $"'{argument}' is not a constant.");
        return value.Value;
    }

    string? Path(SeparatedSyntaxList<ArgumentSyntax> arguments, SemanticModel semantics) =>
        Paths(arguments, semantics) is { } paths ? paths[0] : null;

    /// <summary>Returns the paths of the properties that a lambda names; null if an error was reported.</summary>
    List<string>? Paths(SeparatedSyntaxList<ArgumentSyntax> arguments, SemanticModel semantics)
    {
        if (arguments.FirstOrDefault()?.Expression is not LambdaExpressionSyntax { ExpressionBody: { } body } lambda
            || ParameterOf(lambda, semantics) is not { } parameter)
        {
            if (arguments.Count > 0)
                Report(arguments[0], $"Name the property with a lambda: {Examples}.");
            return null;
        }
        var parts = body is AnonymousObjectCreationExpressionSyntax several
            ? several.Initializers.Select(part => part.Expression)
            : [body];
        var paths = parts.Select(part => PathOf(part, parameter.Name)).ToList();
        if (paths.Count > 0 && !paths.Contains(null))
            return paths!;
        Report(arguments[0], $"The lambda must name properties and nothing else: {Examples}.");
        return null;
    }

    static string? PathOf(ExpressionSyntax expression, string parameter) => expression switch
    {
        ParenthesizedExpressionSyntax { Expression: var inner } => PathOf(inner, parameter),
        PostfixUnaryExpressionSyntax { RawKind: (int)SyntaxKind.SuppressNullableWarningExpression, Operand: var inner } =>
            PathOf(inner, parameter),
        MemberAccessExpressionSyntax { Expression: var owner, Name.Identifier.ValueText: var name } =>
            IsParameter(owner, parameter) ? name : PathOf(owner, parameter) is { } path ? $"{path}.{name}" : null,
        _ => null,
    };

    static bool IsParameter(ExpressionSyntax expression, string parameter) => expression switch
    {
        IdentifierNameSyntax { Identifier.ValueText: var name } => name == parameter,
        // A property of a derived class: p => ((Cat)p).Lives
        ParenthesizedExpressionSyntax { Expression: var inner } => IsParameter(inner, parameter),
        CastExpressionSyntax { Expression: var inner } => IsParameter(inner, parameter),
        _ => false,
    };

    IParameterSymbol? ParameterOf(LambdaExpressionSyntax lambda, SemanticModel semantics) =>
        semantics.GetSymbolInfo(lambda, cancellationToken).Symbol is IMethodSymbol { Parameters.Length: 1 } method
            ? method.Parameters[0]
            : null;

    SemanticModel SemanticsOf(SyntaxNode node) => compilation.GetSemanticModel(node.SyntaxTree);

    void ReportConfiguration(SyntaxNode node, string problem) =>
        _diagnostics.Add(DiagnosticSpec.Of(Analyzers.Diagnostics.Configuration, node.GetLocation(), problem));

    void Report(SyntaxNode node, string problem) =>
        _diagnostics.Add(DiagnosticSpec.Of(Analyzers.Diagnostics.ModelCreating, node.GetLocation(), problem));
}
