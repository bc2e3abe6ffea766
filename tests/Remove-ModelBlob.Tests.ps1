BeforeAll {
    Import-Module (Join-Path $PSScriptRoot 'LoopbackRegistry.psm1') -Force
    Import-Module (Get-StagedModulePath)
    $registry = Start-LoopbackRegistry -SizeMiB 4
}

AfterAll {
    Stop-LoopbackRegistry $registry
}

Describe 'Remove-ModelBlob' {
    BeforeEach {
        $store = Join-Path $TestDrive ([guid]::NewGuid().ToString('N'))
        $saved = Save-ModelBlob $registry.Name $store -VerifyInline
    }

    It 'removes a model and leaves nothing of it' {
        Remove-ModelBlob $registry.Name $store | Should -BeNullOrEmpty
        Get-ChildItem $store -Recurse -File -Force | Where-Object Name -ne 'lock' | Should -BeNullOrEmpty
        Get-ModelManifest -Local -StorePath $store | Should -BeNullOrEmpty
    }

    It 'takes what Get-ModelManifest returned, and tells what it removed' {
        $removed = Get-ModelManifest -Local '*demo*' -StorePath $store | Remove-ModelBlob -StorePath $store -PassThru
        $removed | Where-Object Kind -eq 'Blob' | ForEach-Object Digest | Sort-Object | Should -Be ($saved.Digest | Sort-Object)
        ($removed | Where-Object Kind -eq 'Manifest').Name | Should -Be $saved[0].Name
    }

    It 'changes nothing with -WhatIf' {
        Remove-ModelBlob * $store -WhatIf
        (Test-ModelBlob $registry.Name $store).Status | Should -Be (@('Valid') * 5)
    }

    It 'removes what no manifest names, once it is an hour old' {
        Remove-Item -Recurse -LiteralPath (Join-Path $store 'manifests')
        Remove-ModelBlob -Unused -StorePath $store
        Get-ChildItem (Join-Path $store 'blobs') | Should -HaveCount 5
        Get-ChildItem (Join-Path $store 'blobs') | ForEach-Object { $_.LastWriteTime = (Get-Date).AddHours(-2) }
        Remove-ModelBlob -Unused -StorePath $store
        Get-ChildItem (Join-Path $store 'blobs') | Should -BeNullOrEmpty
    }

    It 'says that a model is not there' {
        Remove-ModelBlob none $store -ErrorVariable problem -ErrorAction SilentlyContinue
        $problem[0].FullyQualifiedErrorId | Should -BeLike 'ManifestNotFound,*'
        $problem[0].CategoryInfo.Category | Should -Be 'ObjectNotFound'
        $problem[0].TargetObject | Should -Be 'none'
    }

    Context 'completion' {
        It 'completes names from the store' {
            $line = "Remove-ModelBlob -StorePath '$store' -Name $($registry.Address.Authority)/lib"
            [System.Management.Automation.CommandCompletion]::CompleteInput($line, $line.Length, $null).CompletionMatches.CompletionText | Should -Be $saved[0].Name
        }
    }
}
