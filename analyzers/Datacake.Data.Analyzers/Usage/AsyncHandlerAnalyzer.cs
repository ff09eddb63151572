using Datacake.Data.Analyzers.Usage;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Datacake.Data.Analyzers;

/// <summary>The analyzer of asynchronous handlers of a context's events, for which a save does not wait.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class AsyncHandlerAnalyzer() : UsageAnalyzer(UsageDiagnostics.AsyncHandler)
{
    private protected override void Register(CompilationStartAnalysisContext start, ContextSymbols symbols) =>
        start.RegisterOperationAction(operation => Analyze(operation, symbols), OperationKind.EventAssignment);

    static void Analyze(OperationAnalysisContext context, ContextSymbols symbols)
    {
        var assignment = (IEventAssignmentOperation)context.Operation;
        if (!assignment.Adds || assignment.EventReference is not IEventReferenceOperation { Event: { Name: "SavingChanges" or "SavedChanges" or "SaveChangesFailed" } target }
            || !symbols.IsContext(target.ContainingType))
            return;
        var handler = ContextSymbols.Unwrap(assignment.HandlerValue);
        var method = handler switch
        {
            IAnonymousFunctionOperation function => function.Symbol,
            IMethodReferenceOperation reference => reference.Method,
            _ => null,
        };
        if (method is { IsAsync: true })
            context.ReportDiagnostic(Diagnostic.Create(UsageDiagnostics.AsyncHandler, handler.Syntax.GetLocation(), target.Name, target.Name + "Async"));
    }
}
