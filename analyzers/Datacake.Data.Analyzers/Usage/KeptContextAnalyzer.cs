using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Datacake.Data.Analyzers;

/// <summary>The analyzer of contexts that are kept beyond their unit of work: in static members, hosted services and singletons.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class KeptContextAnalyzer() : UsageAnalyzer(UsageDiagnostics.KeptContext)
{
    private protected override void Register(CompilationStartAnalysisContext start, ContextSymbols symbols)
    {
        var hosted = start.Compilation.GetTypeByMetadataName("Microsoft.Extensions.Hosting.IHostedService");
        start.RegisterSymbolAction(symbol => AnalyzeType(symbol, symbols, hosted), SymbolKind.NamedType);
        start.RegisterOperationAction(operation => AnalyzeRegistration(operation, symbols, hosted), OperationKind.Invocation);
    }

    static void AnalyzeType(SymbolAnalysisContext context, ContextSymbols symbols, INamedTypeSymbol? hosted)
    {
        var type = (INamedTypeSymbol)context.Symbol;
        foreach (var (member, kept) in KeptBy(type, symbols).Where(static known => known.Member.IsStatic))
            context.ReportDiagnostic(Diagnostic.Create(UsageDiagnostics.KeptContext, member.Locations[0], member.Name, kept.Name, "in a static member"));
        if (!IsHosted(type, hosted))
            return;
        foreach (var (member, kept) in KeptBy(type, symbols).Where(static known => !known.Member.IsStatic).Concat(Injected(type, symbols)).GroupBy(static known => known.Kept, SymbolEqualityComparer.Default)
            .Select(static same => same.First()))
            context.ReportDiagnostic(Diagnostic.Create(UsageDiagnostics.KeptContext, member.Locations[0], member.Name, kept.Name, $"in the hosted service '{type.Name}'"));
    }

    /// <summary>Reports a singleton where it is registered, because any other class with a context may be scoped.</summary>
    static void AnalyzeRegistration(OperationAnalysisContext context, ContextSymbols symbols, INamedTypeSymbol? hosted)
    {
        var call = (IInvocationOperation)context.Operation;
        if (call.TargetMethod is not { Name: "AddSingleton" or "TryAddSingleton" or "AddActivatedSingleton", TypeArguments.Length: > 0 } method
            || method.TypeArguments.Last() is not INamedTypeSymbol implementation
            || !method.ContainingNamespace.ToDisplayString().StartsWith("Microsoft.Extensions.DependencyInjection", StringComparison.Ordinal)
            || IsHosted(implementation, hosted))
            return;
        var kept = KeptBy(implementation, symbols).Where(static known => !known.Member.IsStatic).Concat(Injected(implementation, symbols)).FirstOrDefault();
        if (kept.Member is not null)
            context.ReportDiagnostic(Diagnostic.Create(UsageDiagnostics.KeptContext, call.Syntax.GetLocation(), kept.Member.Name, kept.Kept.Name, $"in the singleton '{implementation.Name}'"));
    }

    static bool IsHosted(INamedTypeSymbol type, INamedTypeSymbol? hosted) => hosted is not null && type.TypeKind == TypeKind.Class && type.AllInterfaces.Contains(hosted, SymbolEqualityComparer.Default);

    /// <summary>Returns the fields and automatic properties whose type is a context.</summary>
    static IEnumerable<(ISymbol Member, ITypeSymbol Kept)> KeptBy(INamedTypeSymbol type, ContextSymbols symbols)
    {
        foreach (var field in type.GetMembers().OfType<IFieldSymbol>())
        {
            if (symbols.IsContext(field.Type) && !field.GetAttributes().Any(static attribute => attribute.AttributeClass?.Name == "ThreadStaticAttribute"))
                yield return (field.AssociatedSymbol ?? field, field.Type.WithNullableAnnotation(NullableAnnotation.None));
        }
    }

    /// <summary>Returns the parameters of the constructors whose type is a context.</summary>
    static IEnumerable<(ISymbol Member, ITypeSymbol Kept)> Injected(INamedTypeSymbol type, ContextSymbols symbols) => type.InstanceConstructors
        .SelectMany(static constructor => constructor.Parameters)
        .Where(parameter => symbols.IsContext(parameter.Type))
        .Select(static parameter => ((ISymbol)parameter, parameter.Type.WithNullableAnnotation(NullableAnnotation.None)));
}
