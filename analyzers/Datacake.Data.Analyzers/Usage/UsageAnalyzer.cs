using System.Collections.Immutable;
using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;

namespace Datacake.Data.Analyzers;

/// <summary>An analyzer of how an application uses contexts. It does nothing in projects without them.</summary>
public abstract class UsageAnalyzer : DiagnosticAnalyzer
{
    private protected UsageAnalyzer(DiagnosticDescriptor descriptor) => SupportedDiagnostics = [descriptor];

    /// <inheritdoc/>
    public sealed override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics { get; }

    /// <inheritdoc/>
    public sealed override void Initialize(AnalysisContext context)
    {
        context.ConfigureGeneratedCodeAnalysis(GeneratedCodeAnalysisFlags.None);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (ContextSymbols.Of(start.Compilation) is { } symbols)
                Register(start, symbols);
        });
    }

    /// <summary>Registers the actions for a compilation.</summary>
    private protected abstract void Register(CompilationStartAnalysisContext start, ContextSymbols symbols);
}
