BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    $modulePath = Get-StagedModulePath
    Import-Module $modulePath
    $root = Split-Path -Parent $PSScriptRoot
}

Describe 'The module' {
    Context 'its manifest' {
        It 'is valid' {
            $manifest = Test-ModuleManifest $modulePath -ErrorAction Stop
            $manifest.Name | Should -Be 'PSModel'
            $manifest.CompatiblePSEditions | Should -Be @('Core', 'Desktop')
        }

        It 'has literal values only' {
            $errors = $null
            $ast = [System.Management.Automation.Language.Parser]::ParseFile((Join-Path $root 'PSModel.psd1'), [ref] $null, [ref] $errors)
            $errors | Should -BeNullOrEmpty
            $kinds = $ast.FindAll({ $true }, $true) | ForEach-Object { $_.GetType().Name } | Sort-Object -Unique
            $kinds | Where-Object {
                $_ -notin 'ScriptBlockAst', 'NamedBlockAst', 'PipelineAst', 'CommandExpressionAst', 'StatementBlockAst',
                'HashtableAst', 'ArrayExpressionAst', 'ArrayLiteralAst', 'StringConstantExpressionAst', 'ConstantExpressionAst'
            } | Should -BeNullOrEmpty
        }

        It 'names what it exports, and no files' {
            $data = Import-PowerShellDataFile $modulePath
            $data.CmdletsToExport | Should -Be @('Export-ModelPin', 'Get-ModelManifest', 'Import-ModelPin', 'Publish-ModelBlob', 'Remove-ModelBlob', 'Save-ModelBlob', 'Test-ModelBlob')
            $data.FunctionsToExport | Should -BeNullOrEmpty
            $data.AliasesToExport | Should -BeNullOrEmpty
            $data.VariablesToExport | Should -BeNullOrEmpty
            $data.Keys | Should -Not -Contain 'FileList'
        }
    }

    It 'exports its seven cmdlets and nothing else' {
        $module = Get-Module PSModel
        $module.ExportedCmdlets.Keys | Sort-Object | Should -Be @('Export-ModelPin', 'Get-ModelManifest', 'Import-ModelPin', 'Publish-ModelBlob', 'Remove-ModelBlob', 'Save-ModelBlob', 'Test-ModelBlob')
        $module.ExportedCommands.Count | Should -Be 7
        $module.ExportedVariables.Count | Should -Be 0
    }

    Context '<Command>' -ForEach @(
        @{ Command = 'Export-ModelPin' }
        @{ Command = 'Get-ModelManifest' }
        @{ Command = 'Import-ModelPin' }
        @{ Command = 'Publish-ModelBlob' }
        @{ Command = 'Remove-ModelBlob' }
        @{ Command = 'Save-ModelBlob' }
        @{ Command = 'Test-ModelBlob' }
    ) {
        It 'has a source file and a Pester file' {
            Join-Path $root "src/PSModel/Commands/$($Command -replace '-')Command.cs" | Should -Exist
            Join-Path $PSScriptRoot "$Command.Tests.ps1" | Should -Exist
        }

        It 'has a synopsis, a description and examples' {
            $help = Get-Help $Command -Full
            $help.Synopsis | Should -Not -BeLike "*$Command*"
            $help.description.Text | Should -Not -BeNullOrEmpty
            @($help.examples.example).Count | Should -BeGreaterOrEqual 2
            $help.examples.example.code -join ' ' | Should -BeLike "*$Command*"
        }

        It 'has help for every parameter' {
            $common = [System.Management.Automation.PSCmdlet]::CommonParameters + [System.Management.Automation.PSCmdlet]::OptionalCommonParameters
            (Get-Command $Command).Parameters.Keys | Where-Object {
                $_ -notin $common -and -not (Get-Help $Command -Parameter $_).description.Text
            } | Should -BeNullOrEmpty
        }
    }
}
